-- Register a build.
INSERT INTO projections (
    name, version, kind, class_name, indexes, state, wanted_segments, event_types,
    file, file_id
)
VALUES (
    :name, :version, :kind, :class_name, :indexes, :state, :wanted_segments, :event_types,
    :file, :file_id
);

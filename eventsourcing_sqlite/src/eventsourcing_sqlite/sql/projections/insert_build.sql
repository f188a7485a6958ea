-- Register a build.
INSERT INTO projections (
    name, version, kind, class_name, indexes, state, wanted_segments, file, file_id
)
VALUES (
    :name, :version, :kind, :class_name, :indexes, :state, :wanted_segments, :file, :file_id
);

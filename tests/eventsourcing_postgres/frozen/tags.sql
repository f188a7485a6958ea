-- The rows of four events, as the version that began to keep tags stored them; never changed.
insert into eventsourcing.streams (id, version) values ('tagged-1', 3), ('tagged-2', 1);

insert into eventsourcing.events
    (position, stream_id, version, event_id, event_type, data, metadata, encoding, "timestamp", tags)
values
    (
        nextval('eventsourcing.events_position'), 'tagged-1', 1,
        '00000000-0000-0000-0000-000000000001', 'frozen.tagged', '{"n":1}', null, 'json',
        1795608000000000, '{course:1}'
    ),
    (
        nextval('eventsourcing.events_position'), 'tagged-1', 2,
        '00000000-0000-0000-0000-000000000002', 'frozen.tagged', '{"n":2}', null, 'json',
        1795608000000000, null
    ),
    (
        nextval('eventsourcing.events_position'), 'tagged-1', 3,
        '00000000-0000-0000-0000-000000000003', 'frozen.tagged', '{"n":3}', null, 'json',
        1795608000000000, '{course:1,student:9}'
    ),
    (
        nextval('eventsourcing.events_position'), 'tagged-2', 1,
        '00000000-0000-0000-0000-000000000004', 'frozen.tagged', '{"n":4}', null, 'json',
        1795608000000000, '{"Zoë 漢 🎉","[","a\"b\\",course:1}'
    );

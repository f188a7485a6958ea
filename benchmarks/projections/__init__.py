"""What follows the log, beside other ways to do the same: ``python -m benchmarks projections``.

All on one PostgreSQL with its usual durability, in one run; each side in a process of its own, in
turns (``apart``). Fairness, and where it is in the code:

- Ours, ``read_all`` alone and the bare driver read the same events, about 100 bytes of JSON each,
  of streams that take turns (``log``). All decode them into the same dataclass.
- The bare driver reads pages of the size that ours has, and writes a page by one statement and a
  cursor, in one transaction (``bare``): what is left if one writes it by hand, for one process.
- ``eventsourcing`` has its own runner and tracking recorder, and fewer events: its rate is compared
  (``pyeventsourcing``). Its time ends when the last event is stored, not when its ``wait`` says so,
  which asks in steps of 0.1 s and more.
"""

"""This library beside what a user would pick instead: ``python -m benchmarks peers``.

Fairness, and where each rule is in the code. Where a rule cannot be equal, it favours the peer.

- Payload: the same four fields, about 100 bytes; each library stores them in its own format
  (``payload``).
- Durability: one PostgreSQL for all, with ``fsync`` and ``synchronous_commit`` on, which is checked
  (``servers``). UmaDB runs as it does unless told otherwise, on the same disk.
- Consistency: each append states the version that it expects, and a conflict is refused, apart from
  the bare INSERT and COPY, which are limits and not stores (``sides``).
- Concurrency: the same number of callers. Libraries that block get a thread for each of our tasks
  (``concurrency``), as their documentation says. The same number of connections (``plan``).
- Each side is a process of its own, so that none pays for another's imports, threads or garbage
  (``worker``). All are up before a measurement begins, and take turns within a round.
- Appends are measured at the event store, below what peers add in their applications and
  repositories; loads at the repository.
"""

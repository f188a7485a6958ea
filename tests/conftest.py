"""The PostgreSQL server of a session, and databases on it, for the tests of any folder."""

from tests.eventsourcing_postgres._databases import make_database, server_url, template, url

__all__ = ["make_database", "server_url", "template", "url"]

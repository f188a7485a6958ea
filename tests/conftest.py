"""The PostgreSQL server of a session, and databases on it, for the tests of any folder."""

from hypothesis import HealthCheck, settings

from tests.eventsourcing_postgres._databases import make_database, server_url, template, url

__all__ = ["make_database", "server_url", "template", "url"]

# How fast examples are made says how busy the machine is.
settings.register_profile("tests", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

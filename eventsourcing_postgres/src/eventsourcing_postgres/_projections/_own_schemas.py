"""The schema that each build has of its own: what its handlers write is there, or its view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core.stores import BuildState, ProjectionKind
from eventsourcing_postgres._statements import literal, quoted, statement

if TYPE_CHECKING:
    from eventsourcing_core.stores import Build, BuildRecord


def live_schema(name: str) -> str:
    """Give the schema of the live build of a projection."""
    return name.replace("-", "_")


def own_schema(build: Build, state: BuildState) -> str:
    """Give the schema of a build; ``write_segments.sql`` and ``live_page.sql`` say the same."""
    live = live_schema(build.name)
    return live if state is BuildState.LIVE else f"{live}_v{build.version}"


def has_schema(record: BuildRecord) -> bool:
    """Tell whether a build has made something here: a reactor has not."""
    return record.spec.kind is not ProjectionKind.REACTOR


def mark_of(build: Build) -> str:
    """Give what marks the user's statements: their tables are those of the build."""
    return f"\n/* {build.name} {build.version} */"


def view_statement(name: str, schema: str, view_schema: str, where: str = "") -> str:
    """Give a statement of a file that is about the table of a view.

    Args:
        name: That of the file, in ``sql/projections``.
        schema: The store's.
        view_schema: That of the build.
        where: Further conditions.
    """
    view = f"{quoted(view_schema)}.view"
    return statement(f"projections/{name}", schema, view=view, where=where)


def field_condition(field: str, parameter: int) -> str:
    """Give the condition that a field of a view's values has a value, which an index knows.

    Args:
        field: The field.
        parameter: The number of the statement's parameter with the value, as JSON.
    """
    given = f"${parameter}::jsonb"
    is_of_hash = f"{hash_of_field(field)} = jsonb_hash_extended({given}, 0)"
    return f" and {is_of_hash} and {_field_of_value(field)} = {given}"


def hash_of_field(field: str) -> str:
    """Give the expression that indexes are on: a value may be longer than an entry of an index.

    Values that are equal have one hash, as 1 and 1.0 have.
    """
    return f"jsonb_hash_extended({_field_of_value(field)}, 0)"


def _field_of_value(field: str) -> str:
    return f"(value -> {literal(field)})"

"""What is wrong with these stores' tags, the contract sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core.stores import Matched, QueryItem, RowPage, RowQuery
from eventsourcing_core.testing._boundaries.tags import TagContract
from tests.contracts._broken import opening
from tests.contracts._wrapped import Wrapped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core.stores import Append, Row
    from eventsourcing_core.testing import OpenParts

QUERY = "test_a_query_finds_what_matches"
JOINED = "test_a_query_is_joined_with_the_other_filters"


class Broken(Wrapped):
    """A fault keeps other tags, or looks for others."""

    def append(self, append: Append) -> Append:
        writes = [
            write._replace(
                events=tuple(
                    event._replace(tags=event.tags and (self.tags(event.tags) or None))
                    for event in write.events
                )
            )
            for write in append.writes
        ]
        return append._replace(writes=tuple(writes))

    def tags(self, tags: tuple[str, ...]) -> tuple[str, ...]:
        """Give what is kept in place of the tags of an event."""
        return tags

    def query(self, query: RowQuery) -> RowQuery:
        """Give what is looked for in place of a query."""
        return query

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> AsyncIterator[RowPage]:
        return super().rows_of_all(after, self.query(query), backward=backward, limit=limit)

    async def matching(self, items: Sequence[QueryItem]) -> Matched:
        return await super().matching(self.query(RowQuery(items=tuple(items))).items or ())


class TagsForgotten(Broken):
    caught_by = (
        "test_tags_come_back_as_they_were_given",
        "test_an_import_keeps_tags",
        f"{QUERY}[one tag]",
        f"{QUERY}[one or the other]",
        f"{QUERY}[three tags]",
        f"{QUERY}[items that overlap]",
    )

    def tags(self, tags: tuple[str, ...]) -> tuple[str, ...]:
        return tags[:0]


class JoinedByCommas(Broken):
    caught_by = ("test_strange_tags_are_kept_apart",)

    def tags(self, tags: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted({*",".join(tags).split(",")}))


class CaseDoesNotCount(Broken):
    caught_by = ("test_tags_that_are_alike_are_kept_apart", f"{QUERY}[one tag]")

    def tags(self, tags: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted({tag.lower() for tag in tags}))

    def query(self, query: RowQuery) -> RowQuery:
        if query.items is None:
            return query
        return query._replace(
            items=tuple(
                item._replace(tags=frozenset(tag.lower() for tag in item.tags))
                for item in query.items
            )
        )


class CutAfterSixtyFour(Broken):
    caught_by = ("test_an_event_may_have_a_hundred_tags",)

    def tags(self, tags: tuple[str, ...]) -> tuple[str, ...]:
        return tags[:64]


class FirstTagOnly(Broken):
    caught_by = (
        "test_tags_beside_events_are_added_to_theirs",
        "test_tags_come_back_as_they_were_given",
    )

    def tags(self, tags: tuple[str, ...]) -> tuple[str, ...]:
        return tags[:1]


class TurnedRound(Broken):
    caught_by = ("test_the_tags_of_rows_are_sorted",)

    def tags(self, tags: tuple[str, ...]) -> tuple[str, ...]:
        return tags[::-1]


class ImportsForgetTags(Broken):
    caught_by = ("test_an_import_keeps_tags",)

    def append(self, append: Append) -> Append:
        self.is_import = append.imported is not None
        return super().append(append)

    def tags(self, tags: tuple[str, ...]) -> tuple[str, ...]:
        return () if self.is_import else tags


class ItemsIgnored(Broken):
    caught_by = (
        "test_following_a_query_gives_what_matches",
        f"{QUERY}[a tag",
        f"{QUERY}[a type",
        JOINED,
    )

    def query(self, query: RowQuery) -> RowQuery:
        return query._replace(items=query.items and (QueryItem(),))


class OtherFiltersIgnored(Broken):
    """Looks for the items of a query, or for types and a prefix, but not for both."""

    caught_by = (JOINED,)

    def query(self, query: RowQuery) -> RowQuery:
        return query if query.items is None else RowQuery(items=query.items)


class LimitBeforeTheQuery(Broken):
    """Counts what the query lets not through, too."""

    caught_by = (f"{QUERY}[two tags]",)

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> AsyncIterator[RowPage]:
        pages = self.inner.rows_of_all(
            after, query._replace(items=None), backward=backward, limit=limit
        )
        async for page in pages:
            rows: list[Row] = [row for row in page.rows if query.matches(row)]
            yield RowPage(rows, page.seen_to)


class TestBrokenTags(TagContract):
    faults = tuple(Broken.__subclasses__())
    deadline = 1

    @pytest.fixture
    def open_parts(self, fault: type[Broken]) -> OpenParts:
        return opening(fault)

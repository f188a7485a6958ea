"""What these stores take for one another, the contract sees."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, ClassVar
from zlib import crc32

import pytest

from eventsourcing_core.stores import RowQuery
from eventsourcing_core.testing._store.likeness import LikeIdContract, LikenessContract
from eventsourcing_inmemory._storage import pages
from tests.contracts._broken import BrokenStorage, changed_pages, opening

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core.stores import Append, Row, Span
    from eventsourcing_core.testing import OpenParts
    from tests.contracts._broken import Pages, Rows


class Alike(BrokenStorage):
    """Takes streams, and types, with the same key for one."""

    caught_by: ClassVar[tuple[str, ...]] = (
        "test_streams_with_ids_that_are_alike_are_kept_apart",
        "test_prefixes_that_are_alike_select_their_own_streams",
        "test_event_types_that_are_alike_are_kept_apart",
    )

    def key(self, name: str) -> str | bytes:
        raise NotImplementedError

    def same(self, stream_id: str) -> list[Row]:
        key = self.key(stream_id)
        return [row for row in self.log.rows if self.key(row.stream_id) == key]

    def version(self, stream_id: str) -> int:
        return len(self.same(stream_id))

    def rows(self, stream_id: str, span: Span) -> Rows:
        return pages(self.same(stream_id), span)

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        types = None if query.event_types is None else {*map(self.key, query.event_types)}
        prefix = self.key(query.stream_prefix)

        def is_wanted(row: Row) -> bool:
            key = self.key(row.stream_id)
            begins = key[: len(prefix)] == prefix
            return begins and (types is None or self.key(row.event_type) in types)

        return changed_pages(
            super().rows_of_all(after, RowQuery(), backward=backward, limit=limit),
            lambda rows: filter(is_wanted, rows),
        )


class FirstBytes(Alike):
    def key(self, name: str) -> str | bytes:
        return name.encode()[:500]


class FirstCharacters(Alike):
    def key(self, name: str) -> str | bytes:
        return name[:250]


class LastBytes(Alike):
    caught_by = (
        "test_streams_with_ids_that_are_alike_are_kept_apart",
        "test_event_types_that_are_alike_are_kept_apart",
    )

    def key(self, name: str) -> str | bytes:
        return name.encode()[-500:]


class NoCase(Alike):
    def key(self, name: str) -> str | bytes:
        return name.lower()


class Folded(Alike):
    def key(self, name: str) -> str | bytes:
        return name.casefold() if name.isalpha() and not name.isascii() else name


class NoSpaceAtTheEnd(Alike):
    def key(self, name: str) -> str | bytes:
        return name.rstrip(" ")


class Composed(Alike):
    def key(self, name: str) -> str | bytes:
        return unicodedata.normalize("NFC", name)


class Compatible(Alike):
    def key(self, name: str) -> str | bytes:
        return unicodedata.normalize("NFKC", name)


class NoNothing(Alike):
    """Passes over characters that cannot be seen, as a collation of a language does."""

    def key(self, name: str) -> str | bytes:
        return name.replace("\u200b", "").replace("\u00ad", "")


class Checksums(Alike):
    caught_by = (
        "test_streams_with_ids_that_are_alike_are_kept_apart",
        "test_event_types_that_are_alike_are_kept_apart",
    )

    def key(self, name: str) -> str | bytes:
        return crc32(name.encode()).to_bytes(4)


class Numbers(Alike):
    """Turns what looks like a number into one."""

    def key(self, name: str) -> str | bytes:
        try:
            return str(float(name))
        except ValueError:
            return name


class Broken(BrokenStorage):
    """Faults of ids, and of what belongs to an event."""


class FifteenBytesOfAnId(Broken):
    caught_by = ("test_event_ids_that_are_alike_are_kept_apart", "test_each_of_many_ids_is_found")

    def places(self, append: Append) -> dict[bytes, Row]:
        known = {event_id[:15]: row for event_id, row in self.log.places.items()}
        return {key: known[key[:15]] for key in append.event_ids if key[:15] in known}


class LooksForAThousandIds(Broken):
    caught_by = ("test_each_of_many_ids_is_found",)

    def places(self, append: Append) -> dict[bytes, Row]:
        ids = append.event_ids[:1000]
        return {key: self.log.places[key] for key in ids if key in self.log.places}


class MetadataOfTheFirst(Broken):
    caught_by = ("test_each_of_many_events_keeps_what_is_its_own",)

    def add(self, rows: Sequence[Row]) -> None:
        super().add([row._replace(metadata=rows[0].metadata) for row in rows])


class Milliseconds(Broken):
    caught_by = ("test_each_of_many_events_keeps_what_is_its_own",)

    def add(self, rows: Sequence[Row]) -> None:
        super().add([row._replace(timestamp=row.timestamp // 1000 * 1000) for row in rows])


class OrderOfIds(Broken):
    caught_by = ("test_each_of_many_events_keeps_what_is_its_own",)

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        def in_order(rows: list[Row]) -> list[Row]:
            positions = [row.position for row in rows]
            rows = sorted(rows, key=lambda row: row.event_id)
            return [row._replace(position=at) for row, at in zip(rows, positions, strict=True)]

        return changed_pages(
            super().rows_of_all(after, query, backward=backward, limit=limit), in_order
        )


class TestBrokenLikeness(LikenessContract, LikeIdContract):
    faults = (*Alike.__subclasses__(), *Broken.__subclasses__())

    @pytest.fixture
    def open_parts(self, fault: type[BrokenStorage]) -> OpenParts:
        return opening(fault)

"""What is wrong with the values that these stores give back, the contract sees."""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import StorageError
from eventsourcing_core.testing._store.values import ValueContract
from tests.contracts._broken import BrokenStorage, changed_pages, changed_rows, opening

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core.stores import Append, Row, RowQuery, Span, Verdict
    from eventsourcing_core.testing import OpenParts
    from tests.contracts._broken import Pages, Rows

HOUR = 3600 * 10**6
"""In microseconds."""


class Broken(BrokenStorage):
    """A fault changes some fields of every row that is read, or the names that are written."""

    def row(self, row: Row) -> Row:
        return row

    def name(self, name: str) -> str:
        return name

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        return await super().write(
            [
                append._replace(
                    writes=tuple(
                        write._replace(stream_id=self.name(write.stream_id))
                        for write in append.writes
                    )
                )
                for append in appends
            ]
        )

    def rows(self, stream_id: str, span: Span) -> Rows:
        return changed_rows(
            super().rows(self.name(stream_id), span), lambda rows: map(self.row, rows)
        )

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        pages = super().rows_of_all(after, query, backward=backward, limit=limit)
        return changed_pages(pages, lambda rows: map(self.row, rows))


class PlaceForgotten(Broken):
    caught_by = ("test_a_recorded_event_knows_its_place",)

    def row(self, row: Row) -> Row:
        return row._replace(position=row.position + 1)


class StreamIdLowered(Broken):
    caught_by = ("test_a_stream_id_comes_back_as_it_was_spelt",)

    def row(self, row: Row) -> Row:
        return row._replace(stream_id=row.stream_id.lower())


class TypeForgotten(Broken):
    caught_by = (
        "test_a_typed_payload_comes_back_as_its_class",
        "test_payloads_are_appended_without_events_around_them",
    )

    def row(self, row: Row) -> Row:
        return row._replace(event_type="event")


class NumbersAreFloats(Broken):
    """Keeps JSON, and not bytes."""

    caught_by = (
        "test_an_untyped_payload_comes_back_as_its_dict",
        "test_events_are_stored_with_the_serializer_of_the_codec",
    )

    def row(self, row: Row) -> Row:
        return row._replace(data=json.dumps(json.loads(row.data, parse_int=float)).encode())


class MetadataForgotten(Broken):
    caught_by = (
        "test_metadata_come_back",
        "test_text_comes_back",
        "test_events_are_stored_with_the_serializer_of_the_codec",
    )

    def row(self, row: Row) -> Row:
        return row._replace(metadata=None)


class MetadataOfItsOwn(Broken):
    caught_by = ("test_metadata_come_back", "test_no_metadata_come_back_as_none_at_all")

    def row(self, row: Row) -> Row:
        return row._replace(metadata=b'{"store":"mine"}')


class IdSigned(Broken):
    caught_by = ("test_an_event_id_comes_back[event_id1",)

    def row(self, row: Row) -> Row:
        return row._replace(event_id=bytes([row.event_id[0] & 127]) + row.event_id[1:])


class IdMadeAnew(Broken):
    caught_by = ("test_an_event_id_comes_back",)

    def row(self, row: Row) -> Row:
        return row._replace(event_id=row.event_id[:-1] + bytes([row.event_id[-1] ^ 1]))


class TimeInMilliseconds(Broken):
    caught_by = (
        "test_a_timestamp_comes_back_to_the_microsecond[timestamp0",
        "test_a_timestamp_comes_back_to_the_microsecond[timestamp1",
        "test_a_timestamp_comes_back_to_the_microsecond[timestamp3",
        "test_a_timestamp_comes_back_to_the_microsecond[timestamp5",
        "test_a_timestamp_of_another_zone_comes_back_in_utc",
    )

    def row(self, row: Row) -> Row:
        return row._replace(timestamp=row.timestamp // 1000 * 1000)


class TimeThroughFloats(Broken):
    """Seconds since 1970 as a float: too few digits far away."""

    caught_by = ("test_a_timestamp_comes_back_to_the_microsecond[timestamp5",)

    def row(self, row: Row) -> Row:
        return row._replace(timestamp=int(row.timestamp / 10**6 * 10**6))


class TimeUnsigned(Broken):
    caught_by = (
        "test_a_timestamp_comes_back_to_the_microsecond[timestamp3",
        "test_a_timestamp_comes_back_to_the_microsecond[timestamp4",
    )

    def row(self, row: Row) -> Row:
        return row._replace(timestamp=max(0, row.timestamp))


class TimeOfTheServer(Broken):
    caught_by = (
        "test_a_timestamp_comes_back_to_the_microsecond[timestamp0",
        "test_a_timestamp_of_another_zone_comes_back_in_utc",
    )

    def row(self, row: Row) -> Row:
        return row._replace(timestamp=row.timestamp - HOUR if row.timestamp > 0 else row.timestamp)


class TextWithNulRefused(Broken):
    caught_by = ("test_text_comes_back[NUL",)

    def row(self, row: Row) -> Row:
        if b"\\u0000" in row.data or b"\0" in row.data:
            raise StorageError
        return row


class TextNormalised(Broken):
    caught_by = (
        "test_text_comes_back[e\\u0301",
        "test_names_that_look_alike_are_different_streams[\\xe9-e\\u0301",
    )

    def name(self, name: str) -> str:
        return unicodedata.normalize("NFC", name)

    def row(self, row: Row) -> Row:
        return row._replace(data=self.name(row.data.decode()).encode())


class TextInOneByte(Broken):
    caught_by = (
        "test_text_comes_back[\\u65e5",
        "test_text_comes_back[\\U0001f389",
        "test_names_come_back[\\U0001f389",
    )

    def name(self, name: str) -> str:
        return name.encode("latin-1", "replace").decode("latin-1")

    def row(self, row: Row) -> Row:
        return row._replace(data=self.name(row.data.decode()).encode())


class BytesAreText(Broken):
    caught_by = ("test_events_are_stored_with_the_serializer_of_the_codec",)

    def row(self, row: Row) -> Row:
        return row._replace(data=row.data.decode(errors="replace").encode())


class NamesCut(Broken):
    caught_by = ("test_names_come_back[xxxxx", "test_names_come_back[\\xe9\\xe9")

    def name(self, name: str) -> str:
        return name.encode()[:254].decode(errors="ignore")


class NamesTrimmed(Broken):
    caught_by = ("test_names_that_look_alike_are_different_streams[a-a ",)

    def name(self, name: str) -> str:
        return name.rstrip() or name


class NamesInLowerCase(Broken):
    caught_by = (
        "test_names_that_look_alike_are_different_streams[doc",
        "test_names_that_look_alike_are_different_streams[\\xe9-\\xc9",
    )

    def name(self, name: str) -> str:
        return name.lower()


class NamesCaseFolded(Broken):
    caught_by = ("test_names_that_look_alike_are_different_streams[\\xdf",)

    def name(self, name: str) -> str:
        return name.casefold()


class NamesAreNumbers(Broken):
    caught_by = ("test_names_that_look_alike_are_different_streams[1",)

    def name(self, name: str) -> str:
        return str(int(name)) if name.isdecimal() else name


class SmallEventsOnly(Broken):
    caught_by = ("test_a_large_event_comes_back",)

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        if any(append.size > 1_000_000 for append in appends):
            raise StorageError
        return await super().write(appends)


class TestBrokenValues(ValueContract):
    faults = tuple(Broken.__subclasses__())

    @pytest.fixture
    def open_parts(self, fault: type[Broken]) -> OpenParts:
        return opening(fault)

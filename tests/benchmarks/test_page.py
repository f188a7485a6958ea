"""What the documentation says of speeds is what the file of results says."""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers.page import PAGE, filled, kept
from benchmarks.peers.results import Results
from benchmarks.peers.table import markdown, text
from benchmarks.peers.tables import tables

ROOT = Path(__file__).parents[2]


def results(**rates: list[float]) -> Results:
    """Give results of which only appends were measured, in one size."""
    made = Results({"name": "default", "rounds": 3}, {})
    for side, values in rates.items():
        for rate in values:
            figures = {"events_per_second": rate, "p50_ms": 1.0, "p99_ms": 2.0}
            made.add("append", side, figures, tasks=64, events=1)
    return made


def test_the_page_quotes_the_file_and_nothing_else() -> None:
    page = (ROOT / PAGE).read_text("utf-8")
    assert filled(page, *kept(ROOT)) == page


def test_a_table_shows_the_median_and_the_range_of_the_rounds() -> None:
    table = tables(results(ours=[9_000, 7_000, 8_000]))[0]
    assert table.rows == [("eventsourcing-core, msgpack", "8,000 (7,000 to 9,000)")]


def test_a_ratio_is_that_of_the_medians() -> None:
    found = {table.name: table for table in tables(results(ours=[8_000], umadb=[3_200]))}
    assert found["append-1-ratio"].rows == [("UmaDB, Python client", "2.50x")]


def test_a_target_is_compared_with_what_was_measured() -> None:
    found = {table.name: table for table in tables(results(ours=[8_000], umadb=[3_200]))}
    assert found["targets"].rows == [
        ("64 tasks, to UmaDB's Python client", "at least 2.00x", "2.50x", "yes")
    ]


def test_each_form_of_a_table_shows_every_cell() -> None:
    table = tables(results(ours=[8_000], umadb=[3_200]))[0]
    for cell in (*table.header, *(cell for row in table.rows for cell in row)):
        assert cell in text(table)
        assert cell in markdown(table)


def test_results_come_back_as_they_were_written(tmp_path: Path) -> None:
    made = results(ours=[8_000, 7_000])
    made.write(tmp_path / "some.json")
    assert Results.read(tmp_path / "some.json") == made

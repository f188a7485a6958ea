"""The commands `freeze`, `compare`, `check` and `catalogue`."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import Event, EventTypes, open_backend
from tests.eventsourcing_cli._terminal import shown_on_terminal, without_styles

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.eventsourcing_cli.conftest import Command, Run

    Write = Callable[[str], str]

_names = itertools.count()
BANK = '''
from __future__ import annotations
from decimal import Decimal
from enum import Enum
from typing import NamedTuple
from eventsourcing_core import EventTypes, event

TYPES = EventTypes()

class Kind(Enum):
    SAVINGS = "savings"

class Home(NamedTuple):
    street: str
    number: int = 1

@event("account.opened", event_types=TYPES)
class Opened:
    """Somebody has an account now."""
    owner: str
    kind: Kind
    home: Home | None = None

@event("account.closed", event_types=TYPES)
class Closed:
    reason: str | int

EVENTS = [Closed("done")]
'''


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a module into the working directory, and give what names its registry."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    def write_module(source: str) -> str:
        name = f"bank_{next(_names)}"
        Path(f"{name}.py").write_text(source, "utf-8")
        return f"{name}:TYPES"

    return write_module


def test_freeze_writes_a_file_for_each_type_and_serializer(run: Run, write: Write) -> None:
    outcome = run("freeze", write(BANK), "--into", "kept")
    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        "kept/json/account.closed.1.json",
        "kept/json/account.opened.1.json",
        "kept/msgpack/account.closed.1.json",
        "kept/msgpack/account.opened.1.json",
        "4 files written, 0 frozen before",
    ]


def test_freeze_leaves_what_is_frozen(run: Run, write: Write) -> None:
    bank = write(BANK)
    run("freeze", bank)
    assert run("freeze", bank, "--json").out == '{"written": [], "kept": 4, "refused": {}}\n'


def test_freeze_takes_serializers_and_examples(run: Run, write: Write) -> None:
    bank = write(BANK)
    module = bank.partition(":")[0]
    run("freeze", bank, "--serializer", "json", "--examples", f"{module}:EVENTS")
    assert [path.name for path in sorted(Path("frozen").iterdir())] == ["json"]
    frozen = json.loads(Path("frozen/json/account.closed.1.json").read_text("utf-8"))
    assert [each["stored"]["json"] for each in frozen["examples"]] == [
        {"reason": {"$type": "str", "$value": "done"}}
    ]


def test_freeze_fails_where_no_example_can_be_made(run: Run, write: Write) -> None:
    check = "    def __post_init__(self):\n        raise ValueError('never')\n"
    refusing = BANK.replace("    reason: str | int\n", f"    reason: str | int\n{check}")
    outcome = run("freeze", write(refusing.replace('[Closed("done")]', "[]")))
    assert outcome.code == 1
    assert "account.closed: no example can be made" in outcome.err
    assert "account.opened.1.json" in outcome.out


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("no_such_module", "there is no module 'no_such_module'"),
        ("json:dumps", "json:dumps is no EventTypes"),
        ("json:nothing", "the module 'json' has no 'nothing'"),
    ],
)
def test_a_module_that_cannot_be_used_is_named(run: Run, code: str, said: str) -> None:
    outcome = run("catalogue", code)
    assert outcome.code == 1
    assert said in outcome.err


def test_an_empty_registry_is_refused(run: Run, write: Write) -> None:
    bank = write("from eventsourcing_core import EventTypes\nTYPES = EventTypes()\n")
    outcome = run("freeze", bank)
    assert outcome.code == 1
    assert f"{bank} has no event types" in outcome.err


def test_examples_that_are_no_list_are_refused(run: Run, write: Write) -> None:
    bank = write(BANK)
    outcome = run("freeze", bank, "--examples", bank)
    assert outcome.code == 1
    assert "is no list of events" in outcome.err


def test_nothing_has_changed(run: Run, write: Write) -> None:
    bank = write(BANK)
    run("freeze", bank)
    assert run("compare", "frozen", bank) == (0, "nothing has changed\n", "")


def test_compare_says_who_reads_whose_events_and_why(run: Run, write: Write) -> None:
    run("freeze", write(BANK))
    new = BANK.replace("kind: Kind", "kind: Kind | None").replace(
        "street: str", "street: str\n    town: str"
    )
    outcome = run("compare", "frozen", write(new))
    assert outcome.code == 1
    assert outcome.out.splitlines() == [
        "account.opened (layout 1) changed, none",
        "  Home.town: added: str",
        "    new code fails: the field 'town' is missing, and has no default",
        "    old code reads new events",
        "  Opened.kind: Kind -> Kind | None",
        "    new code reads old events",
        "    old code fails: Opened.kind must be Kind, got NoneType: None",
    ]


@pytest.mark.parametrize(
    ("require", "code"), [("backward", 0), ("none", 0), ("full", 1), ("forward", 1)]
)
def test_the_exit_code_is_what_is_required(require: str, code: int, run: Run, write: Write) -> None:
    old, new = write(BANK), write(BANK.replace("kind: Kind", "kind: Kind | None"))
    assert run("compare", old, new, "--require", require).code == code


def test_types_that_come_and_go_are_told(run: Run, write: Write) -> None:
    old, new = write(BANK), write(BANK.replace("account.closed", "account.ended"))
    outcome = run("compare", old, new, "--json")
    assert outcome.code == 1
    facts = [json.loads(line) for line in outcome.out.splitlines()]
    assert [(each["event_type"], each["what"], each["compatibility"]) for each in facts] == [
        ("account.closed", "removed", "forward"),
        ("account.ended", "added", "backward"),
    ]


def test_every_layout_ever_frozen_is_compared_with_the_newest(run: Run, write: Write) -> None:
    run("freeze", write(BANK))
    run("freeze", write(BANK.replace("owner: str", "owner: str\n    limit: int")))
    newest = write(BANK.replace("owner: str", "owner: str\n    limit: int | None"))
    facts = map(json.loads, run("compare", "frozen", newest, "--json").out.splitlines())
    assert [(each["number"], each["compatibility"]) for each in facts] == [
        (1, "forward"),
        (2, "backward"),
    ]


@pytest.mark.parametrize(("require", "code"), [("full", 0), ("forward", 0), ("backward", 0)])
def test_only_the_newest_old_layout_has_to_read_new_events(
    require: str, code: int, run: Run, write: Write
) -> None:
    run("freeze", write(BANK))
    second = BANK.replace(
        "home: Home | None = None", "home: Home | None = None\n    limit: int = 5"
    )
    run("freeze", write(second))
    # Of the first layout no program is left, and it could not read what the third one writes.
    third = second.replace("kind: Kind", "kind: Kind | None")
    run("freeze", write(third))
    fourth = write(third.replace("reason: str | int", "reason: str | int | None = None"))
    assert run("compare", "frozen", write(third), "--require", require).code == code
    assert run("compare", "frozen", fourth, "--require", "full").code == 1


def test_every_old_layout_has_to_be_read(run: Run, write: Write) -> None:
    run("freeze", write(BANK))
    second = write(BANK.replace("owner: str", "owner: str\n    limit: int"))
    run("freeze", second)
    for require, code in (("forward", 0), ("backward", 1), ("full", 1)):
        assert run("compare", "frozen", second, "--require", require).code == code


def test_a_serializer_that_came_later_hides_no_layout(run: Run, write: Write) -> None:
    run("freeze", write(BANK), "--serializer", "json")
    later = write(BANK.replace("owner: str", "owner: str\n    limit: int"))
    run("freeze", later)  # msgpack has its first file now, and json its second one
    (facts,) = map(json.loads, run("compare", "frozen", later, "--json").out.splitlines())
    assert (facts["number"], facts["compatibility"]) == (1, "forward")


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("tests/frozn", "there is no folder 'tests/frozn'; a module is written with dots"),
        ("frozn", "there is no folder 'frozn', and there is no module 'frozn', neither"),
    ],
)
def test_a_folder_that_is_not_there_is_named(run: Run, write: Write, named: str, said: str) -> None:
    code, _, err = run("compare", named, write(BANK))
    assert code == 1
    assert said in err


def test_a_folder_without_frozen_events_is_refused(run: Run, write: Write) -> None:
    bank = write(BANK)
    Path("empty").mkdir()
    outcome = run("compare", "empty", bank)
    assert outcome.code == 1
    assert "empty holds no frozen events" in outcome.err


def test_a_file_that_was_changed_by_hand_is_named(run: Run, write: Write) -> None:
    bank = write(BANK)
    run("freeze", bank)
    path = Path("frozen/json/account.closed.1.json")
    path.write_text(path.read_text("utf-8").replace("1729", "1"), "utf-8")
    outcome = run("freeze", bank)
    assert outcome.code == 1
    assert f"{path} was changed by hand" in outcome.err


async def _fill(url: str) -> None:
    async with open_backend(url, event_types=EventTypes()) as backend:
        opened = {"owner": "Zoë", "kind": "savings", "colour": "red", "home": None}
        events = [
            Event("account.opened", opened),
            Event("account.opened", opened | {"kind": "giro"}),
            Event("account.seen", {"by": "Bob"}),
        ]
        await backend.event_store.append("a-1", events, expected_version=0)


@pytest.mark.parametrize("kind", ["file", "url"])
def test_check_tells_what_is_read_of_each_type(
    kind: str, run: Run, write: Write, request: pytest.FixtureRequest
) -> None:
    store: str = request.getfixturevalue(kind)
    asyncio.run(_fill(store))
    outcome = run("check", store, write(BANK))
    assert outcome.code == 1
    opened, seen = [line.split("\t") for line in outcome.out.splitlines()]
    assert opened == [
        *("account.opened", "class", "1", "1", "Opened.colour (1)"),
        *("a-1", "2", "2", "Opened.kind", "Opened.kind must be Kind, got str: 'giro'"),
    ]
    assert seen == ["account.seen", "no class", "1", "0", ""]


def test_check_tells_it_as_json(run: Run, write: Write, file: str) -> None:
    asyncio.run(_fill(file))
    outcome = run("check", file, write(BANK), "--json", "--sample", "2")
    (facts,) = map(json.loads, outcome.out.splitlines())
    assert facts == {
        "event_type": "account.opened",
        "has_class": True,
        "chain": None,
        "decoded": 1,
        "failed": 1,
        "unknown_fields": {"Opened.colour": 1},
        "first_failure": {
            "stream_id": "a-1",
            "version": 2,
            "position": 2,
            "field": "Opened.kind",
            "reason": "Opened.kind must be Kind, got str: 'giro'",
        },
    }


def test_check_of_an_empty_store_finds_nothing(run: Run, write: Write, memory: str) -> None:
    assert run("check", memory, write(BANK)).code == 3


def test_check_shows_on_a_terminal_how_far_it_is(command: Command, write: Write, file: str) -> None:
    asyncio.run(_fill(file))
    giro = BANK.replace('SAVINGS = "savings"', 'SAVINGS = "savings"; GIRO = "giro"')
    shown = without_styles(shown_on_terminal(command("check", file, write(giro))))
    assert "checking" in shown
    assert "account.opened: 2 are read" in shown
    assert "passed over: Opened.colour (2)" in shown
    assert "account.seen: 1 are read as dicts: it has no class" in shown


def test_a_catalogue_is_a_page(run: Run, write: Write) -> None:
    bank = write(BANK)
    page = run("catalogue", bank).out
    assert page == (
        "# Event types\n\n"
        "## `account.closed`\n\n"
        f"Class `{bank.partition(':')[0]}.Closed`.\n\n"
        "| field | type | in an event without it |\n|---|---|---|\n"
        "| `reason` | `int \\| str` | required |\n\n"
        "## `account.opened`\n\n"
        f"Class `{bank.partition(':')[0]}.Opened`.\n\n"
        "Somebody has an account now.\n\n"
        "| field | type | in an event without it |\n|---|---|---|\n"
        "| `owner` | `str` | required |\n"
        "| `kind` | `Kind` | required |\n"
        "| `home` | `Home \\| None` | takes its default |\n\n"
        "### `Home` in `account.opened`\n\n"
        "| field | type | in an event without it |\n|---|---|---|\n"
        "| `street` | `str` | required |\n"
        "| `number` | `int` | takes its default |\n\n"
        "### `Kind` in `account.opened`\n\n"
        "Enum: one of these values.\n\n"
        "| member | stored |\n|---|---|\n"
        "| `SAVINGS` | `'savings'` |\n"
    )


def test_a_catalogue_is_json_schema(run: Run, write: Write) -> None:
    schema = json.loads(run("catalogue", write(BANK), "--json-schema").out)
    opened = schema["$defs"]["account.opened"]
    assert opened["description"] == "Somebody has an account now."
    assert opened["required"] == ["owner", "kind", "home"]
    assert opened["properties"]["kind"] == {"$ref": "#/$defs/account.opened/$defs/Kind"}
    assert opened["$defs"]["Kind"] == {"enum": ["savings"]}


def test_without_a_name_it_is_the_default_registry(
    write: Write, command: Command, tmp_path: Path
) -> None:
    import subprocess  # noqa: PLC0415 - one test needs it

    plain = BANK.replace(", event_types=TYPES", "")
    module = write(plain).partition(":")[0]
    done = subprocess.run(  # noqa: S603 - the command of this repository
        command("freeze", module, "--serializer", "json"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "2 files written, 0 frozen before"
    assert module not in sys.modules

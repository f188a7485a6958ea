from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import (
    DuplicatePluginError,
    EventCodec,
    JsonSerializer,
    PluginError,
    UnknownPluginError,
    open_backend,
)
from eventsourcing_core import plugins as plugins_module
from eventsourcing_core.hookspecs import hookimpl
from eventsourcing_core.plugins import Offer, Plugins, installed_plugins, load_plugins

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Callable[..., EntryPoint]:
    """Make a plugin of functions, as if it were installed."""

    def make_plugin(name: str, **hooks: Any) -> EntryPoint:
        module = ModuleType(f"plugin_{name}_{len(sys.modules)}")
        for hook, function in hooks.items():
            setattr(module, hook, function)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return EntryPoint(name, module.__name__, "eventsourcing")

    return make_plugin


@hookimpl
def ink() -> dict[str, Any]:
    return {"ink": str}


def test_the_plugins_of_this_workspace_are_found() -> None:
    plugins = installed_plugins()
    assert plugins.broken == {}
    assert plugins.names("backend") == ["memory", "postgres", "postgresql", "sqlite"]
    assert plugins.names("migrator") == ["postgres", "postgresql", "sqlite"]
    assert plugins.names("serializer") == ["msgpack"]


def test_a_plugin_that_does_not_import_is_named_and_disturbs_nobody(
    make: Callable[..., EntryPoint],
) -> None:
    plugins = load_plugins(
        [
            EntryPoint("gone", "there.is.no.such.module", "eventsourcing"),
            make("ink", serializers=ink),
        ]
    )
    assert plugins.names("serializer") == ["ink"]
    with pytest.raises(
        PluginError, match=r"'gone' \(there.is.no.such.module\) cannot be used: Module"
    ):
        plugins.find("backend", "gone")


def test_a_misspelt_hook_is_refused(make: Callable[..., EntryPoint]) -> None:
    plugins = load_plugins([make("ink", serialisers=ink)])
    assert plugins.offers == ()
    assert "serialisers" in str(plugins.broken["ink"])


def test_a_plugin_without_a_marked_hook_is_refused(make: Callable[..., EntryPoint]) -> None:
    plugins = load_plugins([make("ink", serializers=dict)])
    assert "implements none of the hooks, or they give nothing: mark" in str(plugins.broken["ink"])


@pytest.mark.parametrize(
    ("hook", "given", "fault"),
    [
        ("serializers", ["ink"], "gives list, not a mapping"),
        ("serializers", {1: str}, "offers 1: names are texts"),
        ("backends", {"": str}, "offers '': names are texts"),
        ("backends", {"Ink": str}, "offers 'Ink': schemes of URLs are in lower case"),
        ("transformers", {"ink": 5}, "offers 'ink' with 5, which cannot be called"),
        ("transformers", {"Ink": str}, "offers 'Ink': a stored name is 1 to 64 of a-z"),
        ("transformers", {"ink+dry": str}, "offers 'ink+dry': a stored name is 1 to 64 of a-z"),
        ("serializers", {"x" * 65: str}, "a stored name is 1 to 64 of a-z"),
    ],
)
def test_an_offer_that_nobody_can_use_breaks_only_its_plugin(
    make: Callable[..., EntryPoint], hook: str, given: Any, fault: str
) -> None:
    def offer() -> Any:
        return given

    plugins = load_plugins(
        [make("odd", **{hook: hookimpl(offer, specname=hook)}), make("ink", serializers=ink)]
    )
    assert fault in str(plugins.broken["odd"])
    assert plugins.names("serializer") == ["ink"]


def test_a_hook_that_raises_breaks_only_its_plugin(make: Callable[..., EntryPoint]) -> None:
    @hookimpl
    def failing() -> dict[str, Any]:
        raise OSError

    plugins = load_plugins([make("a", backends=failing), make("ink", serializers=ink)])
    assert (list(plugins.broken), plugins.names("serializer")) == (["a"], ["ink"])
    assert isinstance(plugins.broken["a"].__cause__, OSError)


def test_two_plugins_that_offer_one_name_are_refused_when_it_is_asked_for(
    make: Callable[..., EntryPoint],
) -> None:
    plugins = load_plugins([make("one", serializers=ink), make("two", serializers=ink)])
    with pytest.raises(DuplicatePluginError, match="more than one plugin: one, two") as caught:
        plugins.find("serializer", "ink")
    assert (caught.value.kind, caught.value.name) == ("serializer", "ink")
    assert caught.value.plugins == ("one", "two")


def test_one_name_for_a_backend_and_a_serializer_is_no_conflict(
    make: Callable[..., EntryPoint],
) -> None:
    plugins = load_plugins([make("one", serializers=ink), make("two", backends=ink)])
    found = plugins.find("backend", "ink")
    assert found is not None
    assert found.plugin == "two"


def use(monkeypatch: pytest.MonkeyPatch, plugins: Plugins) -> None:
    monkeypatch.setattr(plugins_module, "installed_plugins", lambda: plugins)


def test_an_unknown_scheme_lists_what_is_installed() -> None:
    with pytest.raises(UnknownPluginError) as caught:
        open_backend("mysql://localhost/bank")
    assert str(caught.value) == (
        "no backend for 'mysql' (installed: memory, postgres, postgresql, sqlite); "
        "install a plugin that offers this backend, or correct the name"
    )
    assert (caught.value.kind, caught.value.name) == ("backend", "mysql")
    assert caught.value.installed == ("memory", "postgres", "postgresql", "sqlite")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("sqllite", "sqlite"), ("postgresql+asyncpg", "postgresql"), ("sqlite+aiosqlite", "sqlite")],
)
def test_a_scheme_that_is_nearly_right_is_corrected(wrong: str, right: str) -> None:
    with pytest.raises(UnknownPluginError, match=rf"; did you mean '{right}'\?"):
        open_backend(f"{wrong}://x")


@pytest.mark.parametrize(
    ("wrong", "right"), [("msgpak", "msgpack"), ("jsn", "json"), ("JSON", "json")]
)
def test_a_serializer_that_is_nearly_right_is_corrected(wrong: str, right: str) -> None:
    with pytest.raises(UnknownPluginError, match=rf"; did you mean '{right}'\?"):
        EventCodec(wrong)


def test_a_known_scheme_that_is_not_installed_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(monkeypatch, Plugins())
    for scheme, extra in {
        "sqlite": "sqlite",
        "memory": "inmemory",
        "postgresql": "postgres",
    }.items():
        with pytest.raises(UnknownPluginError) as caught:
            open_backend(f"{scheme}://secret@host/x")
        assert str(caught.value).endswith(f'pip install "eventsourcing-core[{extra}]"')
        assert "secret" not in str(caught.value)


def test_an_unknown_serializer_lists_json_too(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Plugins())
    with pytest.raises(
        UnknownPluginError, match=r"no serializer for 'msgpack' \(installed: json\)"
    ):
        EventCodec("msgpack")


def test_without_pluggy_no_plugin_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventsourcing_core._discovery.registry.find_spec", lambda _: None)
    with pytest.raises(UnknownPluginError, match=r"no backend for 'memory' \(installed: none\)"):
        open_backend("memory://")
    assert EventCodec("json").encoding == "json"


def test_the_broken_plugins_are_named_where_a_name_is_unknown(
    monkeypatch: pytest.MonkeyPatch, make: Callable[..., EntryPoint]
) -> None:
    use(monkeypatch, load_plugins([make("odd", backend=ink)]))
    with pytest.raises(UnknownPluginError, match="the plugin 'odd' .* cannot be used"):
        open_backend("mysql://")


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        (lambda: 1 / 0, "'ink' cannot be made: ZeroDivisionError"),
        (None, "'ink' cannot be made: TypeError"),
        (JsonSerializer, "offered as 'ink' calls itself 'json'"),
    ],
)
def test_a_serializer_that_cannot_be_made_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch, factory: Any, message: str
) -> None:
    use(monkeypatch, Plugins((Offer("serializer", "ink", "ink", factory),)))
    with pytest.raises(PluginError, match=message):
        EventCodec("ink")


def test_a_broken_plugin_is_named_beside_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, load_plugins([EntryPoint("pg", "there.is.no.such.module", "eventsourcing")]))
    with pytest.raises(
        UnknownPluginError, match=r"core\[postgres\]\"; the plugin 'pg' .* cannot be"
    ):
        open_backend("postgresql://host/bank")

"""How Sphinx builds the documentation: `uv run nox -s docs`."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "eventsourcing-core"
author = "the eventsourcing-core authors"
release = metadata.version("eventsourcing-core")

extensions = [
    "mermaid_diagrams",  # ours: in _extensions
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
pygments_dark_style = "github-dark"
html_show_copyright = False  # the licence says it
html_title = f"eventsourcing-core {release}"

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
napoleon_numpy_docstring = False

# Every reference must lead somewhere, but for two kinds: those to Python's own documentation would
# need the network, and short names in annotations are often imported for type checkers only. So
# pages refer to our own classes by their full names.
nitpicky = True
nitpick_ignore_regex = [
    (r"py:.*", r"(?:abc|asyncio|collections|contextlib|datetime|enum|importlib)\..*"),
    (r"py:.*", r"(?:os|pathlib|sqlite3|typing|uuid)\..*"),
    (r"py:class", r"(?:aiosqlite|asyncpg|pluggy|_?pytest)\..*"),
    (r"py:class", r"\w+(?:\[.*)?"),
    # What a backend is called in a room below it, and what in memory keeps builds.
    (r"py:class", r"eventsourcing_core\._projections\.projections\.HasProjections"),
    # What the front gives to repositories, for whoever is inside.
    (r"py:class", r"eventsourcing_core\._encoding\.streams\.StreamReader"),
    (r"py:class", r"eventsourcing_inmemory\._builds\.ProjectionShelf"),
    # Type variables.
    (r"py:(?:class|obj)", r"eventsourcing_\w+(?:\.\w+)+\.[A-Z](?:_co|_contra)?"),
    (r"py:class", r"eventsourcing_core\._events\.upcasters\.(?:One|Several)"),
]

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3


def keep_colons(*event: object) -> None:
    """Keep napoleon from taking the words before a colon for the type of an attribute.

    What is before the first colon is the type: so put one there with nothing before it.
    """
    _app, what, _name, _value, _options, lines = event
    if what in {"attribute", "data", "property"} and isinstance(lines, list) and lines:
        lines[0] = f": {lines[0]}"


def setup(app: Sphinx) -> None:
    """Run before napoleon, whose priority is 500."""
    app.connect("autodoc-process-docstring", keep_colons, priority=400)

"""How Sphinx builds the documentation: `uv run nox -s docs`."""

from importlib.metadata import version

project = "eventsourcing-core"
author = "the eventsourcing-core authors"
release = version("eventsourcing-core")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"eventsourcing-core {release}"

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the signature in the docstring's head carries them
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

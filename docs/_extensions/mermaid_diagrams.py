"""Draws the diagrams of the pages while they are built: a directive ``mermaid`` becomes an SVG.

Mermaid runs inside Python (mermaidx), so neither a browser nor the network is needed. The picture
takes its colours from the theme's variables, and so follows light and dark mode. Its line
``accDescr: …``, which Mermaid has for that, is read to those who do not see it; it is required.
"""

# mermaidx has no type hints.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

import mermaidx
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

# Mermaid calculates with colours, so it is given some that nothing else has, to be replaced.
_TEXT, _LINE, _BOX, _NOTE, _PAGE = (f"#0a0b{number:02x}" for number in range(5))
_VARIABLES = {
    _TEXT: "var(--color-foreground-primary)",
    _LINE: "var(--color-foreground-muted)",
    _BOX: "var(--color-background-secondary)",
    _NOTE: "var(--color-highlighted-background)",
    _PAGE: "var(--color-background-primary)",
    "rgba(10, 11, 4, 0.5)": "var(--color-background-primary)",  # what it makes of _PAGE
}
_THEME = {
    "fontFamily": "inherit",
    **dict.fromkeys(("textColor", "titleColor", "nodeTextColor", "primaryTextColor"), _TEXT),
    **dict.fromkeys(("actorTextColor", "signalTextColor", "noteTextColor"), _TEXT),
    **dict.fromkeys(("labelTextColor", "loopTextColor"), _TEXT),
    **dict.fromkeys(("lineColor", "nodeBorder", "clusterBorder", "primaryBorderColor"), _LINE),
    **dict.fromkeys(("actorBorder", "actorLineColor", "signalColor", "noteBorderColor"), _LINE),
    **dict.fromkeys(("labelBoxBorderColor", "activationBorderColor"), _LINE),
    **dict.fromkeys(("mainBkg", "primaryColor", "actorBkg", "labelBoxBkgColor"), _BOX),
    **dict.fromkeys(("noteBkgColor", "activationBkgColor"), _NOTE),
    **dict.fromkeys(("background", "clusterBkg", "edgeLabelBackground"), _PAGE),
}
_CONFIG = {
    "themeVariables": _THEME,
    # Narrow, so that the letters stay large on a telephone.
    "sequence": {
        "mirrorActors": False,
        "width": 80,
        "height": 45,
        "actorMargin": 10,
        "diagramMarginX": 5,
    },
    "flowchart": {"nodeSpacing": 25, "rankSpacing": 35},
}
_DESCRIPTION = re.compile(r"^\s*accDescr:\s*(.+)$", re.MULTILINE)


class MermaidDirective(SphinxDirective):
    """Replaces the source of a diagram by its picture."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Draw it."""
        source = "\n".join(self.content)
        described = _DESCRIPTION.search(source)
        if described is None:
            message = "a diagram says in a line `accDescr: …` what it shows"
            raise self.error(message)
        try:
            picture = drawn(source, f"diagram-{self.env.new_serialno('diagram')}")
        except RuntimeError as error:
            raise self.error(str(error)) from error
        label = escape(described[1])
        html = f'<div class="diagram" role="img" aria-label="{label}" tabindex="0">{picture}</div>'
        return [nodes.raw("", html, format="html")]


def drawn(source: str, name: str) -> str:
    """Give the SVG of a diagram, with an id of its own in its page.

    Raises:
        RuntimeError: Mermaid does not understand the source.
    """
    svg = str(mermaidx.render(source, theme="base", config=_CONFIG).svg())
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    # On a telephone it is scrolled before its letters become too small.
    svg = re.sub(r"max-width: ([\d.]+px);", r"\g<0> min-width: min(22rem, \1);", svg, count=1)
    return svg.replace("my-svg", name)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_directive("mermaid", MermaidDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

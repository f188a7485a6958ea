"""Layouts of events: how they change, examples of them that are kept, and stores in a new form.

The command ``eventsourcing`` (``freeze``, ``compare``, ``check``, ``catalogue``, ``transform``)
does its work with this. Nothing here is needed to run a program.
"""

from __future__ import annotations

from eventsourcing_core.evolution._catalogue import catalogue_page
from eventsourcing_core.evolution._comparison import (
    Change,
    Comparison,
    Compatibility,
    compare_layouts,
)
from eventsourcing_core.evolution._file import (
    Example,
    FrozenFile,
    FrozenFileError,
    frozen_paths,
    newest,
    read_frozen,
)
from eventsourcing_core.evolution._freezing import Freezing, freeze, misread, unfrozen
from eventsourcing_core.evolution._json_schema import json_schema
from eventsourcing_core.evolution._layouts.describing import layout_of
from eventsourcing_core.evolution._layouts.layout import (
    AliasLayout,
    ClassLayout,
    EnumLayout,
    FieldLayout,
    Layout,
    RecordLayout,
)
from eventsourcing_core.evolution._layouts.shape import Shape
from eventsourcing_core.evolution._stored_events import TypeCheck, check_store, stored_rows
from eventsourcing_core.evolution._transforming.report import (
    TransformationError,
    Transformed,
    TransformProgress,
)
from eventsourcing_core.evolution._transforming.transformation import transform

__all__ = [
    "AliasLayout",
    "Change",
    "ClassLayout",
    "Comparison",
    "Compatibility",
    "EnumLayout",
    "Example",
    "FieldLayout",
    "Freezing",
    "FrozenFile",
    "FrozenFileError",
    "Layout",
    "RecordLayout",
    "Shape",
    "TransformProgress",
    "TransformationError",
    "Transformed",
    "TypeCheck",
    "catalogue_page",
    "check_store",
    "compare_layouts",
    "freeze",
    "frozen_paths",
    "json_schema",
    "layout_of",
    "misread",
    "newest",
    "read_frozen",
    "stored_rows",
    "transform",
    "unfrozen",
]

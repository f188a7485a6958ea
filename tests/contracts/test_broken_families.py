"""What is wrong with these families, the contract sees."""

# Classes are made at run time, with hints of any kind.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import pytest

from eventsourcing_attrs import AttrsFamily
from eventsourcing_core.plugins import PayloadClass, PayloadField
from eventsourcing_core.testing import PayloadFamilyContract
from tests.eventsourcing_attrs.test_contract import attrs_class

if TYPE_CHECKING:
    from eventsourcing_core.plugins import PayloadFamily
    from eventsourcing_core.testing import DefinePayload

FIELDS = "test_the_fields_are_those_of_the_class"
STORED = "test_what_is_stored_is_as_of_a_dataclass"
EQUAL = "test_objects_come_back_equal"


class Broken(AttrsFamily):
    """A fault describes some classes otherwise than they are."""

    caught_by: ClassVar[tuple[str, ...]] = ()

    def describe(self, cls: type) -> PayloadClass | None:
        described = super().describe(cls)
        return None if described is None else self.changed(described)

    def changed(self, described: PayloadClass) -> PayloadClass:
        """Change one description."""
        return described


class FieldForgotten(Broken):
    caught_by = (FIELDS,)

    def changed(self, described: PayloadClass) -> PayloadClass:
        return described._replace(fields=described.fields[:-1])


class FieldsByLength(Broken):
    caught_by = (FIELDS,)

    def changed(self, described: PayloadClass) -> PayloadClass:
        ordered = sorted(described.fields, key=lambda field: -len(field.name))
        return described._replace(fields=tuple(ordered))


class HintsForgotten(Broken):
    caught_by = (FIELDS, f"{STORED}[datetime", f"{STORED}[union", f"{EQUAL}[dataclass")

    def changed(self, described: PayloadClass) -> PayloadClass:
        fields = tuple(field._replace(hint=Any) for field in described.fields)
        return described._replace(fields=fields)


class DefaultsForgotten(Broken):
    caught_by = ("test_a_missing_field_takes_its_default",)

    def changed(self, described: PayloadClass) -> PayloadClass:
        fields = tuple(PayloadField(field.name, field.hint) for field in described.fields)
        return described._replace(fields=fields)


class DefaultsAreShared(Broken):
    caught_by = ("test_a_missing_field_takes_its_default",)

    def changed(self, described: PayloadClass) -> PayloadClass:
        return described._replace(fields=tuple(map(self.shared, described.fields)))

    def shared(self, field: PayloadField) -> PayloadField:
        if field.factory is None:
            return field
        value = field.factory()
        return field._replace(factory=None, default=lambda: value)


class MissingIsNone(Broken):
    caught_by = ("test_a_missing_field_without_a_default_is_refused",)

    def changed(self, described: PayloadClass) -> PayloadClass:
        fields = tuple(
            field if field.default else field._replace(default=lambda: "")
            for field in described.fields
        )
        return described._replace(fields=fields)


class ValuesAreTexts(Broken):
    caught_by = (f"{EQUAL}[int", f"{EQUAL}[dataclass")

    def changed(self, described: PayloadClass) -> PayloadClass:
        def make(**fields: Any) -> object:
            return described.make(**{name: str(value) for name, value in fields.items()})

        return described._replace(make=make)


class UnknownFieldsAreRefused(Broken):
    """It reads what is stored itself, and knows no fields but those of today."""

    caught_by = ("test_unknown_fields_are_passed_over",)

    def changed(self, described: PayloadClass) -> PayloadClass:
        gone = PayloadField("gone", list[int] | None, default=lambda: None)
        return described._replace(fields=(*described.fields, gone))


class OneLevelOnly(Broken):
    caught_by = ("test_classes_stand_in_classes",)

    def describe(self, cls: type) -> PayloadClass | None:
        return None if cls.__name__ == "Line" else super().describe(cls)


class SaidToChange(Broken):
    caught_by = ("test_what_cannot_change_is_told",)

    def changed(self, described: PayloadClass) -> PayloadClass:
        return described._replace(unfrozen="@frozen")


class EverythingIsMine(AttrsFamily):
    caught_by = ("test_it_leaves_the_classes_of_others_alone",)

    def describe(self, cls: type) -> PayloadClass | None:
        return super().describe(cls) if attrs.has(cls) else PayloadClass((), cls)


class AnotherEachTime(Broken):
    caught_by = ("test_it_is_described_alike_each_time",)
    numbers = count()

    def changed(self, described: PayloadClass) -> PayloadClass:
        return described._replace(fields=described.fields[next(self.numbers) % 2 :])


class Nameless:
    """One of the two."""

    caught_by = ("test_a_family_has_the_methods_of_the_port",)
    describe = AttrsFamily.describe


class TestBrokenFamilies(PayloadFamilyContract):
    faults = (*Broken.__subclasses__(), EverythingIsMine, Nameless)

    @pytest.fixture
    def family(self, fault: type[Any]) -> PayloadFamily:
        made: PayloadFamily = fault()
        return made

    @pytest.fixture
    def define(self) -> DefinePayload:
        return attrs_class

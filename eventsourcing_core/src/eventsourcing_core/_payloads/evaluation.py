"""The annotations of classes, although not every name in them may be there.

Python evaluates annotations when a class is made, unless they are strings. Since Python 3.14 it
does so when somebody asks, and raises ``NameError`` for what only type checkers import, and for the
class itself while it is decorated.
"""

from __future__ import annotations

import sys
from inspect import Signature, signature
from typing import Any, get_args, get_type_hints

if sys.version_info >= (3, 14):
    from annotationlib import Format, ForwardRef, get_annotations

    def annotations_of(cls: Any) -> dict[str, Any]:
        """Give the annotations of a class alone, or of a function.

        What is not there is a ``ForwardRef``.
        """
        return get_annotations(cls, format=Format.FORWARDREF)

    def hints_of(cls: type) -> dict[str, Any]:
        """Evaluate the annotations of a class and its bases; it may refer to itself.

        Raises:
            NameError: A name is not there.
        """
        names = {cls.__name__: cls}
        hints = get_type_hints(cls, None, names, include_extras=True, format=Format.FORWARDREF)
        for hint in hints.values():
            _check_evaluated(hint)
        return hints

    def signature_of(cls: type) -> Signature:
        """Give the signature of a constructor."""
        return signature(cls, annotation_format=Format.FORWARDREF)

    def _check_evaluated(hint: Any) -> None:
        if isinstance(hint, ForwardRef):
            hint.evaluate()  # raises what is wrong
        for inner in get_args(hint):
            _check_evaluated(inner)

else:
    from inspect import get_annotations as annotations_of
    from inspect import signature as signature_of

    def hints_of(cls: type) -> dict[str, Any]:
        """Evaluate the annotations of a class and its bases; it may refer to itself.

        Raises:
            NameError: A name is not there.
        """
        return get_type_hints(cls, None, {cls.__name__: cls}, include_extras=True)


__all__ = ["annotations_of", "hints_of", "signature_of"]

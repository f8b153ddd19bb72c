"""Two ordered listings walked side by side: what is in the one, in the other, in both.

A store may hold millions of objects. Each listing is a stream, so this needs the memory of one
element of each, and no request an object.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from hilum.domain.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Keyed(Protocol):
    """Something that a listing names by a key."""

    @property
    def key(self) -> str:
        """Its key."""
        ...


Left = TypeVar("Left", bound=Keyed)
Right = TypeVar("Right", bound=Keyed)
Element = TypeVar("Element", bound=Keyed)


@dataclass(frozen=True, slots=True)
class Pair(Generic[Left, Right]):
    """What two listings have under one key; at least one of them has something."""

    key: str
    left: Left | None
    right: Right | None


def paired(left: Iterable[Left], right: Iterable[Right]) -> Iterator[Pair[Left, Right]]:
    """Both listings in the order of their keys, each key once.

    Raises:
        InternalError: One of them is not in that order, or names a key twice.
    """
    lefts, rights = _in_order(left), _in_order(right)
    a, b = next(lefts, None), next(rights, None)
    while a is not None or b is not None:
        if b is None or (a is not None and a.key < b.key):
            assert a is not None  # noqa: S101 - the loop's condition, for the type checker
            yield Pair(a.key, a, None)
            a = next(lefts, None)
        elif a is None or b.key < a.key:
            yield Pair(b.key, None, b)
            b = next(rights, None)
        else:
            yield Pair(a.key, a, b)
            a, b = next(lefts, None), next(rights, None)


def _in_order(listing: Iterable[Element]) -> Iterator[Element]:
    last = None
    for element in listing:
        if last is not None and element.key <= last:
            raise InternalError(f"a listing names {element.key} after {last}: it is not in order")
        last = element.key
        yield element

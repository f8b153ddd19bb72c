"""The tree of errors is the one that its docstring draws."""

from __future__ import annotations

import re

import pytest

from hilum.domain import errors
from hilum.domain.errors import HilumError, Permanent, Refused, Rejected, Transient


def classes(root: type[HilumError] = HilumError):
    for child in root.__subclasses__():
        yield child
        yield from classes(child)


@pytest.mark.parametrize("kind", list(classes()), ids=lambda kind: kind.__name__)
def test_every_class_stands_in_the_drawing_with_its_code(kind):
    """Whoever reads the docstring knows them all."""
    drawn = {m[1]: m[2] for m in re.finditer(r"-- (\w+)\s+(\S+)", str(errors.__doc__))}
    assert kind.__name__ in drawn
    if not kind.__subclasses__():
        assert drawn[kind.__name__] == kind.code


def test_every_class_is_imported_from_the_tree():
    """Whoever raises one need not know its fate."""
    kinds = {kind.__name__: kind for kind in (HilumError, *classes())}
    assert set(errors.__all__) == {*kinds, "Dependency"}
    assert all(getattr(errors, name) is kind for name, kind in kinds.items())


def test_codes_are_unique():
    """Programs match on them."""
    codes = [kind.code for kind in classes()]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("kind", list(classes()), ids=lambda kind: kind.__name__)
def test_every_class_is_of_exactly_one_fate(kind):
    """Rejected, retried, parked or refused: never two of them."""
    fates = [fate for fate in (Rejected, Transient, Permanent, Refused) if issubclass(kind, fate)]
    assert len(fates) == 1


def test_an_error_tells_its_detail():
    """As its text and as a field."""
    error = errors.TruncatedFilm("ends at byte 7")
    assert (str(error), error.detail, error.code) == (
        "ends at byte 7",
        "ends at byte 7",
        "truncated_film",
    )

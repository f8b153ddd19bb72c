"""How errors become statuses, and reasons codes of a rejection."""

from __future__ import annotations

import pytest

from hilum.domain import errors
from hilum.domain.errors import HilumError, Rejected
from hilum_listener.rejections import CODES, Reason
from hilum_listener.statuses import MEANINGS, NOT_FOR_US, OF_CODE, Status, comment_of, status_of


def leaves(kind: type[HilumError]) -> list[type[HilumError]]:
    return [kind, *(leaf for child in kind.__subclasses__() for leaf in leaves(child))]


@pytest.mark.parametrize("kind", leaves(Rejected), ids=lambda kind: kind.code)
def test_bad_input_is_told_for_good(kind):
    """Every code of it, with no status that a sender would repeat for hours."""
    expected = Status.CANNOT_UNDERSTAND
    if kind in {errors.WrongIdentifiers, errors.NotAnImage}:
        expected = Status.DOES_NOT_MATCH
    assert status_of(kind("")) is expected


@pytest.mark.parametrize("root", [errors.Transient, errors.Permanent])
def test_what_is_not_the_objects_fault_is_told_for_the_moment(root):
    """The sender tries again."""
    for kind in leaves(root):
        assert status_of(kind("")) is Status.OUT_OF_RESOURCES


def test_what_nobody_foresaw_is_a_processing_failure():
    """And tells the sender nothing of itself."""
    assert status_of(ValueError("Doe^Jane")) is Status.PROCESSING_FAILURE
    assert comment_of(ValueError("Doe^Jane")) == "internal_error"


def test_a_comment_fits_its_element():
    """64 characters of ASCII without a backslash (PS3.5 section 6.2, LO)."""
    comment = comment_of(errors.MultiFrameFilm("größer\\als " + "x" * 100))
    assert comment.startswith("multi_frame: grerals x")
    assert len(comment) == 64


def test_tables_are_whole():
    """Each status has a meaning, and each code of a table belongs to an error."""
    codes = {kind.code for kind in leaves(HilumError)}
    assert MEANINGS.keys() == {*Status}
    assert codes >= OF_CODE.keys() | NOT_FOR_US
    assert not NOT_FOR_US & {"truncated_film", "unreadable_film", "wrong_identifiers"}


def test_rejections_have_the_codes_of_the_standard():
    """Table 9-21 of PS3.8."""
    assert CODES[Reason.UNKNOWN_CALLED_AE] == (1, 1, 7)
    assert CODES[Reason.UNKNOWN_CALLER] == (1, 1, 3)
    assert CODES[Reason.TOO_MANY_ASSOCIATIONS] == (2, 3, 2)
    assert {result for result, _, _ in CODES.values()} == {1, 2}

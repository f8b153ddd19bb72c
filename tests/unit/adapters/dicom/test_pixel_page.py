"""The page on pixels names what the code knows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hilum.domain.errors import (
    BlankRendering,
    CpuTimeExceeded,
    DecoderCrashed,
    NestedTooDeep,
    TooManyElements,
    TooManyScans,
    TooManySegments,
    WorkingMemoryExceeded,
)
from hilum.imaging.budget import BUDGET
from hilum.imaging.film import FilmNote

PAGE = Path(__file__).parents[4].joinpath("docs/pixels.md").read_text()


def test_the_page_lists_every_correction():
    """Each code of a correction stands on the page, with its meaning."""
    for note in FilmNote:
        assert f"| `{note}` | " in PAGE


@pytest.mark.parametrize("kind", [BlankRendering, DecoderCrashed])
def test_the_page_lists_the_refusal(kind):
    """The codes for a blank rendering and for a crashed decoder stand on the page."""
    assert f"| `{kind.code}` | " in PAGE


@pytest.mark.parametrize(
    ("kind", "limits"),
    [
        (TooManyElements, [BUDGET.elements]),
        (NestedTooDeep, [BUDGET.depth]),
        (TooManySegments, [BUDGET.fragments, BUDGET.segments, BUDGET.chunks]),
        (TooManyScans, [BUDGET.scans, BUDGET.pixel_scans // 10**6]),
        (WorkingMemoryExceeded, [BUDGET.working_bytes // 2**20]),
        (CpuTimeExceeded, [BUDGET.cpu_seconds]),
    ],
)
def test_the_page_lists_the_budget(kind, limits):
    """Each code of the budget stands on the page with the limits that the code has."""
    row = re.search(rf"^\| `{kind.code}` \| (.*?) \|", PAGE, re.MULTILINE)
    assert row is not None
    numbers = [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", row[1])]
    assert numbers == limits

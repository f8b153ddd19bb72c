"""The page on pixels says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hilum.domain.errors import (
    BlankRendering,
    CpuTimeExceeded,
    DecoderCrashed,
    ForProcessing,
    NestedTooDeep,
    TooManyElements,
    TooManyScans,
    TooManySegments,
    WorkingMemoryExceeded,
)
from hilum.domain.image_note import TEXTS, ImageNote, is_correction
from hilum.imaging.budget import BUDGET

PAGE = Path(__file__).parents[4].joinpath("docs/pixels.md").read_text()


@pytest.mark.parametrize("note", ImageNote)
def test_the_page_lists_every_note(note):
    """Each code stands on the page in the section of its kind, with its words."""
    corrected, flagged = PAGE.partition("## Corrected")[2].partition("## Flagged")[::2]
    section = corrected if is_correction(note) else flagged.partition("## Refused")[0]
    assert f"| `{note}` | {TEXTS[note]} |" in section


@pytest.mark.parametrize("kind", [BlankRendering, DecoderCrashed, ForProcessing])
def test_the_page_lists_the_refusal(kind):
    """Each code stands on the page."""
    assert f"| `{kind.code}` | " in PAGE


@pytest.mark.parametrize(
    ("kind", "limits"),
    [
        (TooManyElements, [BUDGET.elements]),
        (NestedTooDeep, [BUDGET.depth]),
        (TooManySegments, [BUDGET.fragments, BUDGET.segments, BUDGET.chunks]),
        (TooManyScans, [BUDGET.scans, BUDGET.pixel_scans // 10**6]),
        (WorkingMemoryExceeded, [BUDGET.working_bytes // 2**20]),
        (CpuTimeExceeded, [BUDGET.cpu_seconds, BUDGET.encoded_bytes // 2**20]),
    ],
)
def test_the_page_lists_the_budget(kind, limits):
    """Each code of the budget stands on the page with the limits that the code has."""
    row = re.search(rf"^\| `{kind.code}` \| (.*?) \|", PAGE, re.MULTILINE)
    assert row is not None
    numbers = [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", row[1])]
    assert numbers == limits

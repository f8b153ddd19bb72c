"""The page on pixels says what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from hilum.domain.errors import BlankRendering, ForProcessing
from hilum.domain.image_note import TEXTS, ImageNote, is_correction

PAGE = Path(__file__).parents[4].joinpath("docs/pixels.md").read_text()


@pytest.mark.parametrize("note", ImageNote)
def test_the_page_lists_every_note(note):
    """Each code stands on the page in the section of its kind, with its words."""
    corrected, flagged = PAGE.partition("## Corrected")[2].partition("## Flagged")[::2]
    section = corrected if is_correction(note) else flagged.partition("## Refused")[0]
    assert f"| `{note}` | {TEXTS[note]} |" in section


@pytest.mark.parametrize("error", [BlankRendering, ForProcessing])
def test_the_page_lists_the_refusal(error):
    """The code stands on the page."""
    assert f"| `{error.code}` | " in PAGE

"""The page on pixels names what the code knows."""

from __future__ import annotations

from pathlib import Path

from hilum.domain.errors import BlankRendering
from hilum.imaging.film import FilmNote

PAGE = Path(__file__).parents[4].joinpath("docs/pixels.md").read_text()


def test_the_page_lists_every_correction():
    """Each code of a correction stands on the page, with its meaning."""
    for note in FilmNote:
        assert f"| `{note}` | " in PAGE


def test_the_page_lists_the_refusal():
    """The code for a blank rendering stands on the page."""
    assert f"| `{BlankRendering.code}` | " in PAGE

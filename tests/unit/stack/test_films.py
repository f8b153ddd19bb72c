"""Which films a demonstration analyses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hilum_stack.errors import StackError
from hilum_stack.films import choose_films, files_of


def test_files_that_were_asked_for_are_taken_as_they_are(tmp_path: Path) -> None:
    """No name is changed or left out."""
    assert choose_films(["a.dcm", "b.png"], tmp_path, tmp_path) == ["a.dcm", "b.png"]


def test_a_collection_gives_one_picture_and_one_dicom_chest_film(tmp_path: Path) -> None:
    """Without a wish two films show both formats; a hip is not a chest."""
    for name in (
        "native/b.jpeg",
        "native/a.png",
        "native/SOURCES.txt",
        "dicom/A_hip_NOT_CHEST.dcm",
        "dicom/B_chest_PA.dcm",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    chosen = [Path(film).resolve() for film in choose_films([], tmp_path, tmp_path / "drafts")]
    assert chosen == [tmp_path / "native/a.png", tmp_path / "dicom/B_chest_PA.dcm"]


def test_without_a_collection_there_is_a_phantom_that_says_so(tmp_path: Path) -> None:
    """The phantom is a real grey PNG with structure, and its name says that it is no patient."""
    (chosen,) = choose_films([], tmp_path / "missing", tmp_path / "drafts")
    assert "phantom-not-a-patient" in chosen
    with Image.open(chosen) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "L", (1024, 1024))
        assert np.asarray(image).std() > 10


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("", []),
        ("a.dcm  b.png", ["a.dcm", "b.png"]),
        ("'chest film.dcm' b.png", ["chest film.dcm", "b.png"]),
    ],
)
def test_files_are_split_at_blanks_outside_quotes(text: str, files: list[str]) -> None:
    """A quoted name may hold a blank."""
    assert files_of(text) == files


def test_an_unclosed_quote_is_told() -> None:
    """The error shows the value."""
    with pytest.raises(StackError, match="FILES="):
        files_of("'a.dcm")

"""Which files are films."""

from __future__ import annotations

import pytest

from hilum_cli.film_files import find_films, media_type

DICOM = b"\0" * 128 + b"DICM" + b"rest"


@pytest.fixture
def folder(tmp_path):
    """Films and other things, at two depths."""
    for name, content in {
        "a.dcm": b"",
        "b.PNG": b"",
        "c.jpeg": b"",
        "d.txt": b"",
        "dicomdir.bak": DICOM,
        "no-suffix": DICOM,
        "1.2.840.113": DICOM,
        "1.2.840.114": b"text",
        "neither": b"text",
        ".hidden.png": b"",
        "deep/e.jpg": b"",
        ".cache/f.png": b"",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return tmp_path


def test_a_folder_is_searched_to_its_depth(folder):
    """By suffix, and by the preamble where there is none; hidden things are left out."""
    names = [str(path.relative_to(folder)) for path in find_films([folder])]
    assert names == ["1.2.840.113", "a.dcm", "b.PNG", "c.jpeg", "deep/e.jpg", "no-suffix"]


def test_a_file_that_was_named_is_taken_whatever_it_is_called(folder):
    """The gateway says what it is."""
    assert list(find_films([folder / "d.txt"])) == [folder / "d.txt"]


def test_a_film_that_is_reached_twice_is_sent_once(folder):
    """By name and by folder, or by a link."""
    (folder / "link.dcm").symlink_to(folder / "a.dcm")
    found = list(find_films([folder / "a.dcm", folder, folder / "deep"]))
    assert len(found) == 6
    assert found[0] == folder / "a.dcm"


def test_a_folder_without_films_gives_none(tmp_path):
    """An empty one as well."""
    assert list(find_films([tmp_path])) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.dcm", "application/dicom"),
        ("a.JPG", "image/jpeg"),
        ("a.png", "image/png"),
        ("1.2.3", "application/octet-stream"),
    ],
)
def test_media_types_go_by_suffix(tmp_path, name, expected):
    """What has none is bytes."""
    assert media_type(tmp_path / name) == expected

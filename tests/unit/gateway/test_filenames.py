"""File names from outside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilum_gateway.http.filenames import LONGEST, UNNAMED, attachment, display_name


@given(st.text())
def test_a_shown_name_has_no_path_and_nothing_invisible(sent):
    """Whatever was sent."""
    shown = display_name(sent)
    assert 0 < len(shown) <= LONGEST
    assert shown.isprintable()
    assert "/" not in shown
    assert "\\" not in shown
    assert display_name(shown) == shown


@given(st.text())
def test_a_download_header_is_one_line_of_latin_1(name):
    """Nothing that was sent ends the header or the quotes."""
    header = attachment(name)
    header.encode("latin-1")
    assert header.isprintable()
    assert header.count('"') == 2


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (None, UNNAMED),
        ("", UNNAMED),
        ("..\\..\\film.png", "film.png"),
        ("/etc/passwd", "passwd"),
        ("film\u202egnp.exe", "filmgnp.exe"),
        ("a\r\nSet-Cookie: x", "aSet-Cookie: x"),
        ("Würzburg.dcm", "Würzburg.dcm"),
    ],
)
def test_names_are_shown_as_expected(sent, shown):
    """Some that were sent on purpose."""
    assert display_name(sent) == shown


def test_a_name_beyond_ascii_is_sent_twice():
    """Plain for old clients, in full for all others (RFC 6266 appendix D)."""
    header = attachment("Würzburg.dcm")
    assert 'filename="W_rzburg.dcm"' in header
    assert "filename*=UTF-8''W%C3%BCrzburg.dcm" in header

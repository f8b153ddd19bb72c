"""Multipart bodies, cut anywhere."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilum.domain.errors import InvalidRequest
from hilum_gateway.http.multipart import MAX_HEADER_BYTES, MultipartDecoder, PartBegin, PartEnd
from tests.unit.gateway.api import MULTIPART, body, part

# Contents that look like boundaries are the hard ones.
CONTENT = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.sampled_from([b"\r\n", b"--", b"xYz", b"\r\n--xY", b"-", b"\r", b"\n", b"\r\n--", b"a"]),
        max_size=12,
    ).map(b"".join),
).filter(lambda content: b"\r\n--xYz" not in b"\r\n" + content)


def decode(pieces: list[bytes]) -> list[tuple[str, str | None, bytes]]:
    """The parts of a body as (name, filename, content)."""
    decoder = MultipartDecoder(MULTIPART)
    parts: list[tuple[str, str | None, bytes]] = []
    begin: PartBegin | None = None
    content: list[bytes] = []
    for piece in pieces:
        for event in decoder.feed(piece):
            if isinstance(event, PartBegin):
                begin, content = event, []
            elif isinstance(event, PartEnd):
                assert begin is not None
                parts.append((begin.name, begin.filename, b"".join(content)))
                begin = None
            else:
                assert begin is not None
                content.append(event)
    decoder.end()
    return parts


def cut(whole: bytes, places: list[int]) -> list[bytes]:
    """A body in pieces."""
    ends = sorted({place % (len(whole) + 1) for place in places} | {0, len(whole)})
    return [whole[a:b] for a, b in pairwise(ends)]


@given(
    contents=st.lists(CONTENT, max_size=4),
    places=st.lists(st.integers(min_value=0, max_value=10_000), max_size=30),
)
def test_the_same_parts_come_out_wherever_a_body_is_cut(contents, places):
    """What a network does to a body never changes its films."""
    whole = body(*(part("files", content, f"{i}.png") for i, content in enumerate(contents)))
    expected = [("files", f"{i}.png", content) for i, content in enumerate(contents)]
    assert decode(cut(whole, places)) == expected


def test_a_body_comes_out_byte_by_byte():
    """The smallest pieces there are."""
    whole = body(part("files", b"\r\n--xY\r\n", "a"), part("site", b"north"))
    pieces = [whole[i : i + 1] for i in range(len(whole))]
    assert decode(pieces) == [("files", "a", b"\r\n--xY\r\n"), ("site", None, b"north")]


def test_a_name_in_utf_8_is_read_as_browsers_write_it():
    """Browsers send names as raw UTF-8 (WHATWG HTML, multipart/form-data encoding)."""
    assert decode([body(part("files", b"x", "Aufnahme-Würzburg.dcm"))])[0][1] == (
        "Aufnahme-Würzburg.dcm"
    )


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/json",
        "multipart/form-data",
        "multipart/mixed; boundary=x",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "x" * 5000,
    ],
)
def test_a_content_type_without_a_usable_boundary_is_refused(content_type):
    """There is nothing to look for."""
    with pytest.raises(InvalidRequest):
        MultipartDecoder(content_type)


@pytest.mark.parametrize(
    "malformed",
    [
        b"no boundary here",
        b'--xYz\r\nContent-Disposition: form-data; name="a"\r\n',  # cut in the headers
        part("files", b"half a film", "a"),  # no closing boundary
        b"--xYz\r\nContent-Type: image/png\r\n\r\nx\r\n--xYz--\r\n",  # no disposition
        b"--xYz\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--xYz--\r\n",
        b"--xYz\r\nContent-Disposition: form-data\r\n\r\nx\r\n--xYz--\r\n",  # no name
        b"--xYz\r\nBad Header: x\r\n\r\nx\r\n--xYz--\r\n",
        b"--xYz\r\nX: " + b"y" * (MAX_HEADER_BYTES + 1) + b"\r\n\r\nx\r\n--xYz--\r\n",
        b"--xYz\r\n" + b"X: y\r\n" * 50 + b"\r\nx\r\n--xYz--\r\n",
    ],
)
@pytest.mark.parametrize("step", [1, 7, 100_000])
def test_a_malformed_body_is_refused_however_it_is_cut(malformed, step):
    """Also one that merely ends too early."""
    with pytest.raises(InvalidRequest):
        decode([malformed[i : i + step] for i in range(0, len(malformed), step)])


def test_an_empty_body_is_refused():
    """Not even a closing boundary."""
    with pytest.raises(InvalidRequest):
        decode([])

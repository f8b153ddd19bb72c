"""The upload form: films and fields in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilum.domain.errors import InvalidRequest, RequestTooLarge
from hilum.domain.job import Priority
from hilum_gateway.http.multipart import MultipartDecoder
from hilum_gateway.intake.submission_form import MAX_FIELD_BYTES, SubmissionForm
from tests.unit.gateway.api import MULTIPART, body, part

if TYPE_CHECKING:
    from collections.abc import Iterator


def form_of(whole: bytes, step: int = 1000) -> SubmissionForm:
    """A form whose body comes in pieces of ``step`` bytes."""
    pieces = iter([whole[i : i + step] for i in range(0, len(whole), step)])
    return SubmissionForm(MultipartDecoder(MULTIPART), lambda: next(pieces, b""))


def films(form: SubmissionForm) -> list[tuple[str, bytes]]:
    """Every film as (name, content)."""
    return [(file.filename, b"".join(file.chunks)) for file in form.files()]


@given(
    order=st.permutations(["files", "files2", "priority", "site", "patient_ref"]),
    step=st.integers(min_value=1, max_value=400),
)
def test_fields_are_read_wherever_they_stand(order, step):
    """A browser sends them in the order of the page, a program as it likes."""
    parts = {
        "files": part("files", b"one", "1.png"),
        "files2": part("files", b"two", "2.png"),
        "priority": part("priority", b"stat"),
        "site": part("site", b"north"),
        "patient_ref": part("patient_ref", b"P-17"),
    }
    form = form_of(body(*(parts[name] for name in order)), step)
    assert sorted(films(form)) == [("1.png", b"one"), ("2.png", b"two")]
    fields = form.fields()
    assert (fields.priority, fields.site, fields.patient_ref) == (Priority.STAT, "north", "P-17")


def test_empty_fields_are_as_good_as_none():
    """A browser sends every field of its form, filled in or not."""
    form = form_of(
        body(
            part("priority", b""),
            part("site", b" "),
            part("patient_ref", b""),
            part("files", b"x", "x"),
        )
    )
    films(form)
    fields = form.fields()
    assert (fields.priority, fields.site, fields.patient_ref) == (Priority.ROUTINE, None, None)


@pytest.mark.parametrize("step", [1, 5, 10_000])
def test_what_is_left_of_a_film_is_skipped(step):
    """A film that is refused after its first bytes does not spoil the next."""
    form = form_of(body(part("files", b"a" * 5000, "1"), part("files", b"b" * 50, "2")), step)
    read: list[bytes] = []
    for file in form.files():
        chunks: Iterator[bytes] = iter(file.chunks)
        read.append(next(chunks)[:1])
    assert read == [b"a", b"b"]


def test_an_empty_file_input_of_a_browser_is_no_film():
    """Where no file was chosen, a nameless empty part is sent."""
    assert films(form_of(body(part("files", b"", "")))) == []


def test_a_nameless_part_with_content_is_a_film():
    """Only the empty one is nothing."""
    assert films(form_of(body(part("files", b"abc", "")), step=3)) == [("unnamed", b"abc")]


def test_a_path_in_a_file_name_is_dropped():
    """A name is shown to people; nothing is ever stored under it."""
    form = form_of(
        body(part("files", b"x", "../../etc/pass\x01wd"), part("files", b"y", "C:\\x\\y.png"))
    )
    assert [name for name, _ in films(form)] == ["passwd", "y.png"]


@pytest.mark.parametrize(
    "parts",
    [
        [part("film", b"x", "a.png")],  # unknown part
        [part("piority", b"stat")],  # unknown field
        [part("priority", b"stat", "a.txt")],  # a field that is a file
        [part("site", b"a"), part("site", b"b")],  # twice
        [part("site", b"x" * (MAX_FIELD_BYTES + 1))],  # too long
        [part("site", b"\xff\xfe")],  # not UTF-8
    ],
)
def test_a_part_that_does_not_belong_refuses_the_form(parts):
    """A misspelt `priority` must not become a routine film."""
    with pytest.raises(InvalidRequest):
        films(form_of(body(*parts, part("files", b"x", "x"))))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("priority", "urgent"),
        ("site", "*"),
        ("site", "a b"),
        ("site", "x" * 65),
        ("patient_ref", "Jane Doe"),
        ("patient_ref", "x" * 65),
        ("patient_ref", "<script>"),
    ],
)
def test_a_malformed_value_is_refused(name, value):
    """A pseudonym has no spaces: a name would."""
    form = form_of(body(part(name, value.encode()), part("files", b"x", "x")))
    films(form)
    with pytest.raises(InvalidRequest, match=name):
        form.fields()


def test_what_failed_once_fails_again():
    """An error inside a film must not look like the end of the form when the next is asked for."""
    pieces = [part("files", b"x" * 100, "a")]

    def pull() -> bytes:
        if pieces:
            return pieces.pop()
        raise RequestTooLarge("at most 5 bytes")

    files = SubmissionForm(MultipartDecoder(MULTIPART), pull).files()
    with pytest.raises(RequestTooLarge):
        b"".join(next(files).chunks)
    with pytest.raises(RequestTooLarge):
        next(files)

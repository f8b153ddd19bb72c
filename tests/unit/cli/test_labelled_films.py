"""A site's CSV of labelled films: what each column says, and what is refused."""

from __future__ import annotations

from uuid import UUID

import pytest

from hilum_cli.failure import Failure
from hilum_cli.labelled_films import read_labelled_films

LABELS = [
    ("tuberculosis", "normal"),
    ("tuberculosis", "tuberculosis"),
    ("tuberculosis", "other_abnormal"),
    ("pathology", "effusion"),
    ("pathology", "nodule"),
]
JOB = "5d0cbb2e-7a53-4c0e-9d55-0d4a9b6f6f10"


@pytest.fixture
def read(tmp_path):
    """Reads lines as a CSV file."""

    def of(*lines: str, encoding: str = "utf-8"):
        path = tmp_path / "films.csv"
        path.write_bytes("\r\n".join(lines).encode(encoding))
        return read_labelled_films(path, LABELS)

    return of


def truth(film, panel):
    return {label: said for (of, label), said in film.truth.items() if of == panel}


def test_a_panel_s_column_names_the_label_that_is_true(read):
    """The panel's other labels are then not true; an empty cell says nothing."""
    first, second = read("file,tuberculosis", "a.png,other_abnormal", "b.png,").films
    assert truth(first, "tuberculosis") == {
        "normal": False,
        "tuberculosis": False,
        "other_abnormal": True,
    }
    assert second.truth == {}


def test_several_labels_are_set_apart_and_none_says_that_there_is_none(read):
    """For panels whose labels do not exclude one another."""
    both, none = read("file,pathology", "a.png,nodule | effusion", "b.png,none").films
    assert truth(both, "pathology") == {"effusion": True, "nodule": True}
    assert truth(none, "pathology") == {"effusion": False, "nodule": False}


def test_a_label_s_column_goes_before_its_panel_s(read):
    """1 or 0, in the words that people use."""
    lines = ["a,effusion,no", "b,none,YES", "c,,0", "d,effusion,"]
    films = read("file,pathology,pathology.effusion", *lines).films
    said = [film.truth.get(("pathology", "effusion")) for film in films]
    assert said == [False, True, False, True]
    assert ("pathology", "nodule") not in films[2].truth


def test_a_film_is_found_by_job_or_uid_or_file(read, tmp_path):
    """A file lies beside the CSV, and is opened only when it is wanted."""
    (tmp_path / "a b.png").write_bytes(b"pixels")
    job, uid, file = read(
        "job_id,sop_instance_uid,file,tuberculosis",
        f"{JOB},,,normal",
        ",1.2.840.1,,normal",
        ",,a b.png,normal",
    ).films
    assert (job.job_id, job.name) == (UUID(JOB), JOB)
    assert (uid.sop_instance_uid, uid.name, uid.job_id) == ("1.2.840.1", "1.2.840.1", None)
    assert file.content() == b"pixels"
    missing = read("file,tuberculosis", "gone.png,normal").films[0]
    with pytest.raises(Failure, match=r"gone\.png"):
        missing.content()


def test_films_of_a_patient_belong_together(read):
    """Without a patient each film stands for itself."""
    films = read("file,patient,tuberculosis", "a,P1,normal", "b,P1,normal", "c,,normal").films
    assert [film.patient for film in films] == ["P1", "P1", "c"]


def test_films_of_a_source_belong_together(read):
    """Those of a file without the column come from one; an empty cell is a source of its own."""
    films = read("file,source,tuberculosis", "a,ward 1,normal", "b,,normal").films
    assert [film.source for film in films] == ["ward 1", "not stated"]
    assert read("file,tuberculosis", "a,normal").films[0].source == ""


def test_what_spreadsheets_write_is_read(read):
    """A byte order mark, quotes, spaces about names, semicolons, columns that mean nothing."""
    told = read('"file", tuberculosis,remark', 'a.png,normal,"x, y"', encoding="utf-8-sig")
    assert told.unused == ("remark",)
    assert told.films[0].truth
    assert read("file;tuberculosis", "a.png;normal").films[0].truth == told.films[0].truth


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["name,tuberculosis", "a,normal"], "which films"),
        (["file,finding", "a,normal"], "tells the truth"),
        (["file,tuberculosis"], "no film"),
        ([""], "which films"),
        (["file,tuberculosis", "a,flu"], "line 2: tuberculosis has no label flu"),
        (["file,tuberculosis", "a,normal", "b,none|normal"], "line 3"),
        (["file,pathology.nodule", "a,maybe"], "line 2: pathology.nodule is 1 or 0"),
        (["job_id,tuberculosis", "7,normal"], "line 2: 7 is no job id"),
        (["file,tuberculosis", ",normal"], "line 2: none of"),
        (["file,tuberculosis", "a"], "line 2: more or fewer cells"),
        (["file,tuberculosis", "a,normal,more"], "line 2: more or fewer cells"),
        (["file,tuberculosis", 'a,"normal'], "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_its_line(read, lines, said):
    """Rather than to fit a threshold on half of it."""
    with pytest.raises(Failure, match=said):
        read(*lines)


def test_another_encoding_is_refused(read):
    """Latin-1 would be guessed at."""
    with pytest.raises(Failure, match="cannot be read"):
        read("file,tuberculosis", "ä.png,normal", encoding="latin-1")

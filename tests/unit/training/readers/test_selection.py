"""Views, licences and ages decide which records a run may use."""

from __future__ import annotations

import pytest

from hilum_training.films.readers.registry import read_dataset
from hilum_training.films.readers.selection import Selection, select_records
from tests.unit.training.readers import layouts


def names(folder, selection):
    records = read_dataset("covid_chestxray", layouts.covid_chestxray(folder)).records
    kept, refused = select_records(records, selection)
    return [record.file.rpartition("/")[2] for record in kept], refused


@pytest.mark.parametrize(
    ("selection", "kept", "refused"),
    [
        (Selection(), ["a.jpeg", "b.jpg", "d.png"], {"view L": 1}),
        (Selection(views=("PA",)), ["a.jpeg"], {"view AP": 1, "view AP Supine": 1, "view L": 1}),
        (
            Selection(exclude_flags=("NC",)),
            ["b.jpg", "d.png"],
            {"licence flag NC": 1, "view L": 1},
        ),
        (
            Selection(views=(), exclude_flags=("NC", "SA", "no-explicit-licence-text")),
            ["d.png"],
            {
                "licence flag NC": 1,
                "licence flag SA": 1,
                "licence flag no-explicit-licence-text": 1,
            },
        ),
        (
            Selection(views=(), youngest=18, oldest=70),
            ["a.jpeg", "b.jpg"],
            {"age not stated": 1, "age out of bounds": 1},
        ),
        (Selection(splits=("train",)), [], {"published split not stated": 3, "view L": 1}),
        (Selection(sources=("nih14",)), [], {"source cohen": 3, "view L": 1}),
    ],
)
def test_what_is_refused_is_counted_with_its_reason(selection, kept, refused, tmp_path):
    """Nothing leaves a run in silence."""
    assert names(tmp_path, selection) == (kept, refused)


def test_a_film_without_a_label_is_refused(tmp_path):
    """An unanswered row of a local table is no normal film."""
    table = "file,patient,view,age,sex,label\na.png,P1,PA,,,\n"
    records = read_dataset("local", layouts.local(tmp_path, table)).records
    assert select_records(records, Selection()) == ((), {"no label": 1})

"""The answers of the previous release, on both stacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.previous.answers import (
    ON_ANY_PROCESSOR,
    Client,
    comparable,
    differences,
    read_frozen,
)
from tests.previous.release import Release, this_release
from tests.servers import run_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

PICTURED = 12
"""Completed images whose pictures are compared, too."""


@dataclass(frozen=True)
class Run:
    """What a release answered: documents, and digests of pictures, by the image's name."""

    answers: Mapping[str, Mapping[str, Any]]
    pictures: Mapping[str, Mapping[str, str]]


def run(release: Release, kind: str, images: Mapping[str, bytes]) -> Run:
    """Send images to a fresh stack of a release."""
    with run_folder() as folder, release.serve(kind, folder, {}) as served:
        client = Client(served)
        told = client.send(images)
        documents = {
            name: entry if entry["job_id"] is None else client.settled(entry["job_id"])
            for name, entry in told.items()
        }
        pictured = [n for n, document in documents.items() if document["state"] == "completed"]
        return Run(
            {name: comparable(document) for name, document in documents.items()},
            {name: client.pictures(documents[name]) for name in pictured[:PICTURED]},
        )


@pytest.fixture(scope="module")
def now(kind, images) -> Run:
    """What this release answers."""
    return run(this_release(), kind, images)


def test_the_kept_answers_are_given(now):
    """Each image gets the answer that the previous release gave when it was made."""
    kept = read_frozen()
    assert {
        name: differences(kept[name], now.answers[name], "", ON_ANY_PROCESSOR)
        for name in now.answers
    } == {name: [] for name in now.answers}


def test_the_previous_release_answers_the_same(now, previous, kind, images):
    """On one machine documents are equal to the last digit, and pictures byte for byte."""
    before = run(previous, kind, images)
    assert {name: differences(before.answers[name], now.answers[name]) for name in images} == {
        name: [] for name in images
    }
    assert before.pictures
    assert before.pictures == now.pictures


def test_differences_are_seen():
    """A changed number, word or length is found, a new field is not."""
    before = {"a": [{"probability": 0.5}], "b": "word"}
    assert differences(before, {"a": [{"probability": 0.5, "new": 1}], "b": "word"}) == []
    assert differences(before, {"a": [{"probability": 0.500002}], "b": "word"}) == [
        "/a/0/probability: 0.5, now 0.500002"
    ]
    assert len(differences(before, {"a": [], "b": "other"})) == 2


def test_an_outline_may_have_other_points_and_not_another_area():
    """On another processor a corner may differ. A side that moves is a difference, on any."""
    square = {"outlines": [[[10.0, 10.0], [210.0, 10.0], [210.0, 210.0], [10.0, 210.0]]]}
    corner = {"outlines": [[*square["outlines"][0][:2], [210.0, 208.0], [208.0, 210.0], [10, 210]]]}
    moved = {"outlines": [[[10.0, 10.0], [216.0, 10.0], [216.0, 210.0], [10.0, 210.0]]]}
    assert differences(square, corner, "", ON_ANY_PROCESSOR) == []
    assert len(differences(square, corner)) == 1
    assert len(differences(square, moved, "", ON_ANY_PROCESSOR)) == 1
    assert len(differences(square, {"outlines": []}, "", ON_ANY_PROCESSOR)) == 1

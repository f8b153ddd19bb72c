"""When two submissions ask for the same reading."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from hilum.domain.study import Instance

FILM = Instance(
    id=uuid4(),
    study_id=uuid4(),
    filename="a.dcm",
    media_type="application/dicom",
    size_bytes=10,
    sha256="ab" * 32,
    sop_instance_uid="1.2.3",
    object_key="films/a",
)


def test_the_same_film_sent_again_has_the_same_key():
    """Whatever it is called, in whatever study it comes."""
    again = replace(FILM, id=uuid4(), study_id=uuid4(), filename="b.dcm", object_key="films/b")
    assert again.idempotency_key("north", "ms-1") == FILM.idempotency_key("north", "ms-1")


@pytest.mark.parametrize(
    ("change", "site", "model_set"),
    [
        ({"sha256": "cd" * 32}, "north", "ms-1"),
        ({"sop_instance_uid": "1.2.4"}, "north", "ms-1"),
        ({"sop_instance_uid": None}, "north", "ms-1"),
        ({}, "south", "ms-1"),
        ({}, "north", "ms-2"),
    ],
)
def test_another_film_site_or_model_set_has_another_key(change, site, model_set):
    """A site never learns that another one holds the film; new models read it anew."""
    other = replace(FILM, **change).idempotency_key(site, model_set)
    assert other != FILM.idempotency_key("north", "ms-1")


def test_parts_of_the_key_cannot_run_into_one_another():
    """A site named like the end of a UID does not collide."""
    one = replace(FILM, sop_instance_uid="1.2").idempotency_key("3", "ms")
    other = replace(FILM, sop_instance_uid="1.23").idempotency_key("", "ms")
    assert one != other

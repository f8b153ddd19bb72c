"""When two submissions ask for the same reading."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from hilum.domain.job import Priority
from hilum.domain.study import Instance, StoredImage, Study

STUDY = Study(uuid4(), "north", "P1", Priority.ROUTINE, "key", datetime(2026, 11, 30, tzinfo=UTC))
INSTANCE = Instance(
    id=uuid4(),
    study_id=STUDY.id,
    filename="a.dcm",
    media_type="application/dicom",
    size_bytes=10,
    sha256="ab" * 32,
    sop_instance_uid="1.2.3",
    object_key="films/a",
)
IMAGE = StoredImage(INSTANCE, "cd" * 32, "1.2.840.10008.1.2.1")
KEY = IMAGE.idempotency_key(STUDY, "ms-1")


def test_the_same_content_sent_again_has_the_same_key():
    """Whatever it is called, in whatever study it comes, and whatever stands before its content."""
    study = replace(STUDY, id=uuid4(), priority=Priority.STAT, submitted_by="other")
    instance = replace(
        INSTANCE, id=uuid4(), study_id=study.id, filename="b.dcm", sha256="ef" * 32, size_bytes=12
    )
    assert replace(IMAGE, instance=instance).idempotency_key(study, "ms-1") == KEY


@pytest.mark.parametrize(
    ("image", "study", "model_set"),
    [
        ({"content_sha256": "ef" * 32}, {}, "ms-1"),
        ({"transfer_syntax_uid": None}, {}, "ms-1"),
        ({}, {"site": "south"}, "ms-1"),
        ({}, {"patient_ref": "P2"}, "ms-1"),
        ({}, {"patient_ref": None}, "ms-1"),
        ({}, {}, "ms-2"),
    ],
)
def test_what_asks_for_another_reading_has_another_key(image, study, model_set):
    """Another image, site, patient or model set."""
    other = replace(IMAGE, **image).idempotency_key(replace(STUDY, **study), model_set)
    assert other != KEY


def test_parts_of_the_key_cannot_run_into_one_another():
    """A site named like the beginning of a pseudonym does not collide."""
    one, other = (
        IMAGE.idempotency_key(replace(STUDY, site=site, patient_ref=ref), "ms")
        for site, ref in (("a", "b"), ("ab", ""))
    )
    assert one != other

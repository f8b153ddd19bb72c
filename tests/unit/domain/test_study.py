"""When two submissions ask for the same analysis, and which study an instance belongs to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from hilum.domain.job import Priority
from hilum.domain.principal import Principal, PrincipalKind
from hilum.domain.study import FIRST_READER, Instance, Series
from hilum.domain.submission import Source, Submission

SUBMISSION = Submission(
    id=uuid4(),
    site="north",
    principal=Principal(PrincipalKind.API_KEY, "key"),
    source=Source.API,
    priority=Priority.ROUTINE,
    received_at=datetime(2026, 11, 30, tzinfo=UTC),
    patient_ref="P1",
)
INSTANCE = Instance(
    id=uuid4(),
    study_id=SUBMISSION.id,
    filename="a.dcm",
    media_type="application/dicom",
    size_bytes=10,
    sha256="ab" * 32,
    sop_instance_uid="1.2.3",
    object_key="films/a",
    content_sha256="cd" * 32,
    transfer_syntax_uid="1.2.840.10008.1.2.1",
)
KEY = INSTANCE.idempotency_key(SUBMISSION, "ms-1", FIRST_READER)
SERIES = Series("1.2.3", "1.2.3.4")


def test_the_same_content_sent_again_has_the_same_key():
    """Whatever it is called, in whatever request it comes, and whatever stands before it."""
    other = Principal(PrincipalKind.USER, "other")
    again = replace(
        SUBMISSION, id=uuid4(), priority=Priority.STAT, principal=other, source=Source.PAGE
    )
    instance = replace(
        INSTANCE, id=uuid4(), study_id=again.id, filename="b.dcm", sha256="ef" * 32, size_bytes=12
    )
    assert instance.idempotency_key(again, "ms-1", FIRST_READER) == KEY


@pytest.mark.parametrize(
    ("image", "submission", "model_set", "reader"),
    [
        ({"content_sha256": "ef" * 32}, {}, "ms-1", FIRST_READER),
        ({"transfer_syntax_uid": None}, {}, "ms-1", FIRST_READER),
        ({}, {"site": "south"}, "ms-1", FIRST_READER),
        ({}, {"patient_ref": "P2"}, "ms-1", FIRST_READER),
        ({}, {"patient_ref": None}, "ms-1", FIRST_READER),
        ({}, {}, "ms-2", FIRST_READER),
        ({}, {}, "ms-1", FIRST_READER + 1),
    ],
)
def test_what_asks_for_another_analysis_has_another_key(image, submission, model_set, reader):
    """Another image, site, patient, model set or reader."""
    asked = replace(SUBMISSION, **submission)
    assert replace(INSTANCE, **image).idempotency_key(asked, model_set, reader) != KEY


def test_parts_of_the_key_cannot_run_into_one_another():
    """A site named like the beginning of a pseudonym does not collide."""
    one, other = (
        INSTANCE.idempotency_key(replace(SUBMISSION, site=site, patient_ref=ref), "ms", 1)
        for site, ref in (("a", "b"), ("ab", ""))
    )
    assert one != other


def test_the_first_reader_makes_the_keys_of_the_previous_release():
    """A key that the previous release made: an upgrade analyses nothing twice."""
    sent = replace(SUBMISSION, patient_ref=None)
    assert INSTANCE.idempotency_key(sent, "ms-1", FIRST_READER) == (
        "02bdb1ff386179c84b65ddd72a33fe7282cd77b142e77af68db7d0cc9008bd00"
    )


def test_a_study_has_one_id_at_a_site_and_another_at_another():
    """The id depends on the site and the UIDs, and not on what else the series says."""
    assert SERIES.id("north") == replace(SERIES, modality="DX", accession_number="7").id("north")
    assert SERIES.study_id("north") != SERIES.study_id("south")
    assert SERIES.id("north") != replace(SERIES, series_instance_uid="1.2.3.5").id("north")
    assert SERIES.study_id("north") == replace(SERIES, series_instance_uid="9").study_id("north")

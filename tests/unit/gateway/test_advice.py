"""Every advice, followed: a person does what the gateway says, and it ends as the text says.

Files are read by the reader that ships. Models are small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hilum.application.intake.submission import IncomingFile
from hilum.domain.errors import (
    CpuTimeExceeded,
    DecoderCrashed,
    InferenceFailed,
    InvalidManifest,
    WrongIdentifiers,
)
from hilum.domain.job import JobState
from hilum.domain.principal import Grant, Principal, PrincipalKind, Role
from hilum.domain.site_rule import ACCEPT, REFUSE
from hilum.domain.submission import Source
from hilum_gateway.advice import ADVICE, PARKED, advice
from tests.unit.gateway.advised_files import DICOM, PNG, RAW, REFUSED
from tests.unit.gateway.causes import CAUSES, HOUR
from tests.unit.gateway.person import MOST_FILES, Person

if TYPE_CHECKING:
    from collections.abc import Callable

LOW = {
    "file_too_large": {"max_bytes": 20_000},
    "too_many_pixels": {"max_pixels": 80_000},
    "compression_ratio_too_high": {"max_compression_ratio": 3},
}
"""Limits of an installation that refuses an image which others take."""


def sends_another(code: str) -> None:
    """The same file has the same answer. One as the advice asks for is completed."""
    bad, good = REFUSED[code]
    for file in bad:
        person = Person(**LOW.get(code, {}))
        told = person.told(file)
        assert (told["code"], told["advice"]) == (code, ADVICE[code])
        assert person.sent(file)["reason"] == told
        for better in good:
            person.completes(better)


def sends_another_or_has_the_rule_changed(code: str) -> None:
    """At ingestion, or of a job that was accepted under another rule."""
    sends_another(code)
    person = Person()
    person.decide(ACCEPT)
    job_id = person.sent(RAW)["job_id"]
    person.decide(REFUSE)
    person.gateway.work()
    assert person.told_of(job_id)["code"] == code
    assert person.told(RAW)["code"] == code
    person.decide(ACCEPT)
    person.completes(RAW)


def sends_another_or_has_the_limit_raised(code: str) -> None:
    """At ingestion, or by a worker that has lower limits than the gateway."""
    sends_another(code)
    (file,), _ = REFUSED[code]
    person = Person(**LOW[code])
    assert person.told(file)["code"] == code
    person.have_limits()
    person.completes(file)

    person = Person()
    person.have_worker_limits(**LOW[code])
    assert person.told(file)["code"] == code
    person.have_worker_limits()
    person.completes(file)


def sends_one_that_is_decoded(code: str) -> None:
    """The decoder fails over one file and not over the next."""
    person = Person()
    errors = {"decoder_crashed": DecoderCrashed, "cpu_time": CpuTimeExceeded}
    person.gateway.reader.failure = errors[code]("over this file")
    told = person.told(PNG)
    assert (told["code"], told["advice"]) == (code, ADVICE[code])
    person.gateway.reader.failure = None
    person.completes(DICOM)


def sends_fewer(code: str) -> None:
    """Or smaller ones. Each of them is completed."""
    too_many = {
        "too_many_files": [(PNG,) * (MOST_FILES + 1)],
        "request_too_large": [(bytes(700_000),) * 2, (bytes(1_400_000),)],
    }
    for files in too_many[code]:
        person = Person()
        told = person.told(*files)
        assert (told["code"], told["advice"]) == (code, ADVICE[code])
        person.completes(PNG)
        person.completes(DICOM)


def waits(code: str) -> None:
    """The cause ends, and nobody does anything."""
    person = Person()
    person.decide(ACCEPT)
    job_id = person.sent(RAW)["job_id"]
    end = CAUSES[code](person)
    person.gateway.work()
    end()
    told = person.told_of(job_id)
    assert (told["code"], told["advice"]) == (code, ADVICE[code])
    assert person.sent(RAW)["reason"] == told
    person.gateway.clock.advance(HOUR)
    person.gateway.work()
    assert person.state(job_id) == ("completed", None)


DEFECTS = {
    "inference_failed": InferenceFailed("a defect"),
    "invalid_manifest": InvalidManifest("a defect"),
    "internal_error": RuntimeError("a defect"),
}


def has_an_operator_retry(code: str) -> None:
    """Until the cause is fixed, a submission has the same answer, with reason and advice."""
    person = Person()
    job_id = person.sent(PNG)["job_id"]
    engine = person.gateway.engine
    served = engine._served  # noqa: SLF001 - the fake's own
    engine.failure = DEFECTS.get(code)
    engine._served = served if code in DEFECTS else set()  # noqa: SLF001
    person.gateway.work()
    told = person.told_of(job_id)
    assert (told["code"], told["advice"]) == (code, ADVICE[code])
    again = person.sent(PNG)
    assert (again["job_id"], again["outcome"], again["reason"]) == (job_id, "known", told)
    assert told["advice"] in person.page_after(PNG)
    engine.failure, engine._served = None, served  # noqa: SLF001
    person.act(job_id, "retry")
    person.gateway.work()
    assert person.state(job_id) == ("completed", None)


def sends_it_again(code: str) -> None:
    """The stored file is gone or damaged. The job is analysed with the new one."""
    for damage in (dict.clear, lambda objects: objects.update(dict.fromkeys(objects, b"short"))):
        person = Person()
        job_id = person.sent(PNG)["job_id"]
        damage(person.gateway.store.objects)
        person.gateway.work()
        told = person.told_of(job_id)
        assert (told["code"], told["advice"]) == (code, ADVICE[code])
        assert person.sent(PNG)["outcome"] == "requeued"
        person.gateway.work()
        assert person.state(job_id) == ("completed", None)


def sends_what_it_names(code: str) -> None:
    """Over DICOM. The reason is with the file of the association; the next object is analysed."""
    person = Person()
    grants = (Grant(Role.SUBMITTER, "default"),)
    sender = Principal(PrincipalKind.AE_TITLE, "CR1", grants=grants)
    association = person.gateway.container.submit_images.open(
        sender, request_id="r", source=Source.DICOM, calling_ae="CR1"
    )
    association.refuse("1.2.dcm", WrongIdentifiers("The command names no such object."))
    association.add(IncomingFile("1.3.dcm", [DICOM]))
    person.gateway.work()
    seen = person.api.get(f"/v1/submissions/{association.id}").json()
    refused, taken = seen["jobs"]
    assert (refused["reason"]["code"], refused["reason"]["advice"]) == (code, ADVICE[code])
    assert seen["calling_ae"] == "CR1"
    assert person.state(taken["job_id"]) == ("completed", None)


def sends_a_cancelled_one_again(code: str) -> None:
    """It has a new job."""
    person = Person()
    job_id = person.sent(PNG)["job_id"]
    person.act(job_id, "cancel", reason="sent by mistake")
    told = person.told_of(job_id)
    assert (told["code"], told["advice"]) == (code, ADVICE[code])
    assert person.sent(PNG)["outcome"] == "new"
    person.completes(PNG)


WALKS: dict[str, Callable[[str], None]] = {
    **dict.fromkeys(REFUSED, sends_another),
    **dict.fromkeys(LOW, sends_another_or_has_the_limit_raised),
    "for_processing": sends_another_or_has_the_rule_changed,
    "decoder_crashed": sends_one_that_is_decoded,
    "cpu_time": sends_one_that_is_decoded,
    "too_many_files": sends_fewer,
    "request_too_large": sends_fewer,
    **dict.fromkeys(CAUSES, waits),
    **dict.fromkeys([*DEFECTS, "model_not_served"], has_an_operator_retry),
    "object_missing": sends_it_again,
    "wrong_identifiers": sends_what_it_names,
    "cancelled": sends_a_cancelled_one_again,
}


@pytest.mark.parametrize("code", sorted({*ADVICE, *WALKS}))
def test_an_advice_that_is_followed_ends_as_its_text_says(code):
    """A code without a walk fails, and a walk of a code that has no advice."""
    assert code in ADVICE
    WALKS[code](code)


def used_up(person: Person) -> str:
    """The id of a job whose attempts are used up, for a cause outside of the image."""
    job_id: str = person.sent(PNG)["job_id"]
    end = CAUSES["out_of_memory"](person)
    person.gateway.work(max_attempts=1)
    end()
    told = person.told_of(job_id)
    assert (told["code"], told["advice"]) == ("out_of_memory", PARKED)
    return job_id


def test_a_job_whose_attempts_are_used_up_is_completed_once_an_operator_retries_it():
    """Nothing happens before, also where the image is sent again."""
    person = Person()
    job_id = used_up(person)
    again = person.sent(PNG)
    assert (again["outcome"], again["reason"]["advice"]) == ("known", PARKED)
    person.gateway.clock.advance(100 * HOUR)
    person.gateway.work()
    assert person.state(job_id)[0] == "failed"
    person.act(job_id, "retry")
    person.gateway.work()
    assert person.state(job_id) == ("completed", None)


@pytest.mark.parametrize("error", [None, InferenceFailed("a defect")], ids=["used up", "a defect"])
def test_a_job_that_an_operator_discarded_is_not_said_to_be_retried(error):
    """Its advice is that of a cancelled one: the image is sent again, and has a new job."""
    person = Person()
    job_id = used_up(person) if error is None else person.sent(PNG)["job_id"]
    person.gateway.engine.failure = error
    person.gateway.work()
    person.gateway.engine.failure = None
    person.act(job_id, "discard")
    assert person.told_of(job_id)["advice"] == ADVICE["cancelled"]
    assert person.sent(PNG)["outcome"] == "new"
    person.completes(PNG)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (None, "send the new file"),
        (JobState.REJECTED, "send the new file"),
        (JobState.QUEUED, "without your doing"),
        (JobState.RUNNING, "without your doing"),
        (JobState.FAILED, "Tell your administrator"),
        (JobState.DISCARDED, "Send the image again"),
    ],
)
def test_a_code_of_a_newer_release_has_the_advice_of_its_state(state, words):
    """No state promises what cannot come of it."""
    assert words in advice("of_a_newer_release", state)

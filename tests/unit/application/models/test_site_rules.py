"""Raw detector images: refused unless their site accepts them."""

from __future__ import annotations

import pytest

from hilum.application.intake.submission import RefusedFile, SubmissionFields
from hilum.application.models.site_rules import ManageSiteRules
from hilum.domain.errors import DatabaseUnavailable, InvalidRequest
from hilum.domain.image_note import ImageNote
from hilum.domain.job import JobState
from hilum.domain.principal import local_command
from tests.unit.application.stage import Stage, film

RULE = "for_processing"
NORTH = SubmissionFields(site="north")


@pytest.fixture
def stage() -> Stage:
    """A platform to which every image comes FOR PROCESSING."""
    made = Stage()
    made.reader.states = {
        "for_processing": True,
        "notes": frozenset({ImageNote.FOR_PROCESSING_ACCEPTED}),
    }
    return made


@pytest.fixture
def rules(stage) -> ManageSiteRules:
    return ManageSiteRules(unit_of_work=stage.unit_of_work, clock=stage.clock)


def test_without_a_rule_the_image_is_refused_on_submission(stage):
    """With its code, and nothing of it stays in the store."""
    (answer,) = stage.send(film(), fields=NORTH).files
    assert isinstance(answer, RefusedFile)
    assert answer.error.code == RULE
    assert "site north refuses" in answer.error.detail
    assert stage.store.objects == {}
    assert stage.queue.woken == []


def test_a_site_that_accepts_such_images_gets_a_result_that_says_so(stage, rules):
    """The image that was refused before is sent again. Other sites refuse it still."""
    stage.send(film(), fields=NORTH)
    rules.decide("north", RULE, "accept", local_command("anna"))
    (accepted,) = stage.send(film(), fields=NORTH).accepted
    job = stage.analyse(accepted.job.id)
    assert job.state is JobState.COMPLETED
    assert job.notes == ("for_processing_accepted",)
    assert stage.send(film(), fields=SubmissionFields(site="south")).accepted == ()
    completed = next(event for event in stage.events() if event.action == "job.completed")
    assert completed.details["notes"] == "for_processing_accepted"


def test_the_site_default_decides_for_sites_without_a_rule(stage, rules):
    """A site's own rule precedes it."""
    rules.decide("default", RULE, "accept", local_command("anna"))
    rules.decide("south", RULE, "refuse", local_command("anna"))
    assert len(stage.send(film(1), fields=NORTH).accepted) == 1
    assert stage.send(film(2), fields=SubmissionFields(site="south")).accepted == ()


def test_a_job_that_waited_while_the_rule_changed_is_rejected(stage, rules):
    """The rule that holds when the image is decoded counts."""
    rules.decide("north", RULE, "accept", local_command("anna"))
    (accepted,) = stage.send(film(), fields=NORTH).accepted
    rules.decide("north", RULE, "refuse", local_command("anna"))
    job = stage.analyse(accepted.job.id)
    assert (job.state, job.reason.code) == (JobState.REJECTED, RULE)


def test_plain_images_beside_a_raw_one_are_accepted(stage):
    """Only what is FOR PROCESSING is refused."""
    inspect = stage.reader.inspect

    def second_is_plain(prefix: bytes, size: int) -> object:
        header = inspect(prefix, size)
        stage.reader.states = {}
        return header

    stage.reader.inspect = second_is_plain
    raw, plain = stage.send(film(1), film(2), fields=NORTH).files
    assert isinstance(raw, RefusedFile)
    assert stage.analyse(plain.job.id).state is JobState.COMPLETED


def test_a_database_that_is_down_accepts_nothing(stage):
    """A raw image is not accepted because its rule cannot be read."""
    stage.unit_of_work.available = False
    with pytest.raises(DatabaseUnavailable):
        stage.send(film(), fields=NORTH)
    assert stage.store.objects == {}


def test_decisions_are_in_the_audit_log_and_unknown_ones_are_refused(stage, rules):
    """Who decided what, for which site."""
    rules.decide("north", RULE, "accept", local_command("anna"))
    event = stage.events()[-1]
    assert (event.action, event.actor, event.object_id) == (
        "site_rule.set",
        local_command("anna"),
        "north",
    )
    assert event.details == {"rule": RULE, "value": "accept"}
    assert [(rule.site, rule.value) for rule in rules.all()] == [("north", "accept")]
    for rule, value in ((RULE, "perhaps"), ("colour", "accept")):
        with pytest.raises(InvalidRequest):
            rules.decide("north", rule, value, local_command("anna"))

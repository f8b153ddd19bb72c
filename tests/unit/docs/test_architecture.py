"""Tables of the architecture page, compared with the code."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from importlib import import_module
from typing import Final

import pytest

from hilum.adapters.postgres.tables import METADATA
from hilum.application.queue.messages import FORMER_QUEUES, OTHER_QUEUES, QUEUES
from hilum.domain.delivery import DELIVERY
from hilum.domain.errors import ObjectMissing
from hilum.domain.job import ANALYSIS, Job, JobState, Reason
from hilum.domain.operation import OPERATION
from hilum.domain.principal import PERMISSIONS
from hilum.domain.sent_again import GIVES_UP_KEY, outcome_of
from hilum.domain.work import AttemptOutcome, WorkEvent
from hilum.runtime.setting_groups import EverySetting
from hilum.runtime.settings import settings_of
from tests.contract.samples import a_film
from tests.unit.docs.pages import code, permissions, section, table
from tests.unit.test_structure import ROOT

AGAIN: Final = "The same image again"


@pytest.mark.parametrize("heading", ["Tables", "Tables of submissions"])
def test_a_table_is_built_with_its_columns_or_is_not_built(heading):
    """A table that the page calls built is in the metadata with each column, another one is not."""
    for row in table(heading, "table"):
        (name,) = code(row["table"])
        assert (row["built"] == "yes") == (name in METADATA.tables), name
        if row["built"] == "yes":
            missing = set(code(row["columns that matter"])) - {*METADATA.tables[name].c.keys()}
            assert missing == set(), name


def test_the_page_has_every_table():
    """A table of the metadata that the page does not have is found."""
    rows = table("Tables", "table") + table("Tables of submissions", "table")
    assert {*METADATA.tables} <= {name for row in rows for name in code(row["table"])}


def test_tables_of_work_have_the_columns_of_work():
    """Jobs and operations have each column that the page says every table of work has."""
    listed = re.search(r"Every table of work has the columns `([^`]+)`", section("Tables"))
    assert listed is not None
    for name in ("jobs", "operations"):
        assert set(re.split(r",\s+", listed[1])) <= {*METADATA.tables[name].c.keys()}, name


@pytest.mark.parametrize("life", [ANALYSIS, DELIVERY, OPERATION], ids=lambda life: life.noun)
def test_the_page_has_every_transition_and_no_other(life):
    """A transition that only the page or only the code has is found."""
    told = set()
    for row in table("Life cycles", "event"):
        (event,) = code(row["event"])
        before, _, after = row[life.noun].partition(" -> ")
        told |= {(state, event, after) for state in before.split(", ") if after}
    received = {("received", "enqueue", "queued")}
    does = {(before, event, after) for (before, event), after in life.transitions.items()}
    assert told == does
    assert received <= told
    assert {event for _, event, _ in told} <= {*WorkEvent}


def test_each_outcome_of_an_attempt_is_explained():
    """The page has the outcomes of the code."""
    told = [name for row in table("The work queue", "outcome") for name in code(row["outcome"])]
    assert told == [*AttemptOutcome]


def test_each_queue_of_the_broker_is_explained():
    """The page has the names under which wake-ups travel."""
    rows = table("The work queue", "Celery queue")
    named = [name for row in rows for name in code(row["Celery queue"])]
    queues = [*QUEUES.values(), *OTHER_QUEUES.values(), *FORMER_QUEUES.values()]
    assert sorted(named) == sorted(queues)


@pytest.mark.parametrize("row", table("The work queue", "bound"), ids=lambda row: row["bound"])
def test_a_bound_has_the_value_of_the_code(row):
    """A number of the page is that of the constant, or the default of the setting."""
    (name,) = code(row["where"])
    if name.startswith("HILUM_"):
        (found,) = [one.field.default for one in settings_of(EverySetting) if one.name == name]
    else:
        module, _, constant = name.rpartition(".")
        found = getattr(import_module(module), constant)
    assert found == float(row["value"])


def test_the_same_image_again_has_the_outcome_of_the_page():
    """Over every state, reason and fate of the object, the code does what the page says."""
    asked = set()
    for row in table(AGAIN, "earlier job"):
        (told,) = code(row["outcome"])
        fates = {"any": ("stored", "gone"), "stored": ("stored",), "gone": ("gone",)}
        for state, reason in re.findall(r"(\w+)(?: \(`(\w+)`\))?", row["earlier job"]):
            if state in {"none", "discarded"} or reason in GIVES_UP_KEY:
                assert told == "new", row
                continue
            for fate in fates[row["its object"]]:
                job = a_job(state, reason or "inference_failed")
                assert outcome_of(job, stored=fate == "stored") == told, (state, reason, fate)
                if fate == "gone":
                    expired = replace(job, film_expired_at=job.updated_at)
                    assert outcome_of(expired, stored=True) == told, (state, reason)
                asked.add((state, reason, fate))
    states = {*JobState} - {JobState.RECEIVED, JobState.DISCARDED}
    wanted = {(state.value, "") for state in states} | {("failed", ObjectMissing.code)}
    assert asked == {(*each, fate) for each in wanted for fate in ("stored", "gone")}


def test_each_role_has_the_permissions_of_the_page():
    """A permission that only the page or only the code gives a role is found."""
    held = {role.value: {one.value for one in given} for role, given in PERMISSIONS.items()}
    assert permissions() == held


def test_a_folder_is_there_or_is_not_built():
    """Each folder of the first table exists, none of the second does."""
    there = {}
    for row in table("Folders", "folder"):
        (path,) = code(row["folder"])
        there[path] = "may import" in row
    assert {path: (ROOT / path).is_dir() for path in there} == there


def test_the_page_has_the_import_contracts():
    """A contract that only the page or only pyproject.toml has is found."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = [one["name"] for one in declared["tool"]["importlinter"]["contracts"]]
    told = [row["contract"] for row in table("Import rules", "contract")]
    assert told == [name.partition(".")[0] for name in names]


def a_job(state: str, reason: str) -> Job:
    job = a_film(state=JobState(state)).job
    return replace(job, reason=Reason(reason, "why")) if state == "failed" else job

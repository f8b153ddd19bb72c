"""What a viewer sees, and what does not exist for a key."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import numpy as np
import pytest

from hilum.application.ports.repositories import JobFilter
from hilum.domain.errors import NotFound, NotPermitted, ObjectStoreUnavailable
from hilum.domain.job import JobState, Priority
from hilum.domain.principal import Grant, Principal, PrincipalKind, Role
from hilum.imaging.phantom import phantom_film
from hilum.imaging.preview import decode_preview
from tests.fakes.clock import FIRST_MOMENT
from tests.fakes.film_reader import graymap
from tests.unit.application.stage import Stage, film, key

NORTH = key(Role.VIEWER, site="north")
SOUTH = key(Role.VIEWER, site="south")
ANY = key(Role.VIEWER)


@pytest.fixture
def stage() -> Stage:
    """Six jobs, a second apart, of two sites; the first is completed."""
    stage = Stage()
    for n in range(6):
        site = "north" if n % 2 == 0 else "south"
        sent = stage.send(film(n), by=key(site=site)).accepted[0].job
        if n == 0:
            first = sent
        stage.advance(1)
    stage.analyse(first.id)
    return stage


def listed(stage: Stage, by=ANY, which: JobFilter | None = None):
    return list(stage.read.page(which or JobFilter(), None, 100, by).jobs)


def completed(stage: Stage):
    (job,) = listed(stage, which=JobFilter(state=JobState.COMPLETED))
    return job


def test_a_key_of_a_site_sees_the_jobs_of_that_site(stage):
    """And a key that is not bound sees all, newest first."""
    assert [job.site for job in listed(stage, NORTH)] == ["north"] * 3
    everything = listed(stage)
    assert len(everything) == 6
    assert [job.created_at for job in everything] == sorted(
        (job.created_at for job in everything), reverse=True
    )


def test_asking_for_another_site_gives_nothing(stage):
    """Not an error: a key cannot tell whether that site has jobs."""
    page = stage.read.page(JobFilter(sites=frozenset({"south"})), None, 10, NORTH)
    assert (page.jobs, page.next) == ((), None)
    assert len(stage.read.page(JobFilter(sites=frozenset({"north"})), None, 10, NORTH).jobs) == 3


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 7])
def test_pages_give_every_job_once(stage, limit):
    """The last page has no next one, whether it is full or not."""
    seen, cursor, pages = [], None, 0
    while True:
        page = stage.read.page(JobFilter(), cursor, limit, ANY)
        seen.extend(page.jobs)
        pages += 1
        cursor = page.next
        if cursor is None:
            break
        assert len(page.jobs) == limit
    assert seen == listed(stage)
    assert pages == -(-6 // limit)


def test_a_filter_holds_on_every_page(stage):
    """State, priority and site together."""
    which = JobFilter(sites=frozenset({"south"}), state=JobState.QUEUED, priority=Priority.ROUTINE)
    assert len(listed(stage, ANY, which)) == 3
    assert listed(stage, ANY, JobFilter(priority=Priority.STAT)) == []


def test_a_job_is_seen_with_its_result_once_it_has_one(stage):
    """None before."""
    done = completed(stage)
    assert stage.read.job(done.id, ANY).analysis.job_id == done.id
    waiting = next(job for job in listed(stage) if job.state is JobState.QUEUED)
    assert stage.read.job(waiting.id, ANY).analysis is None


@pytest.mark.parametrize(
    "ask",
    [
        lambda stage, job_id, by: stage.read.job(job_id, by),
        lambda stage, job_id, by: stage.show.preview(job_id, by),
        lambda stage, job_id, by: stage.read.original(job_id, by),
        lambda stage, job_id, by: stage.show.heatmap(
            job_id, "pneumonia", "pneumonia_bacterial", by
        ),
    ],
    ids=["job", "preview", "original", "heatmap"],
)
def test_a_job_of_another_site_does_not_exist(stage, ask):
    """The same answer as for a job that nobody has."""
    done = completed(stage)
    ask(stage, done.id, NORTH)
    told = []
    for job_id in (done.id, uuid4()):
        with pytest.raises(NotFound) as refusal:
            ask(stage, job_id, SOUTH)
        told.append(refusal.value.detail.replace(str(job_id), "ID"))
    assert told[0] == told[1]


def test_preview_original_and_heatmap_are_those_of_the_film(stage):
    """The preview is a picture, the original the very bytes."""
    done = completed(stage)
    assert decode_preview(stage.show.preview(done.id, NORTH)).shape == (64, 64)
    instance, chunks = stage.read.original(done.id, NORTH)
    assert b"".join(chunks) == film(0)
    assert instance.id == done.instance_id
    png, heatmap = stage.show.heatmap(done.id, "pneumonia", "pneumonia_bacterial", NORTH)
    assert png == stage.show.preview(done.id, NORTH)
    assert heatmap.label == "pneumonia_bacterial"


def test_a_preview_is_made_at_the_first_look_and_kept(stage):
    """Nobody looks at most films; who looks twice waits once."""
    done = completed(stage)
    key = f"previews/{done.id}.jpg"
    assert key not in stage.store.objects
    first = stage.show.preview(done.id, NORTH)
    assert stage.store.objects[key] == first
    del stage.store.objects[done_object_key(stage, done)]
    assert stage.show.preview(done.id, NORTH) == first


def done_object_key(stage, job):
    """Where the film of a job lies."""
    with stage.unit_of_work.begin(write=False) as transaction:
        return transaction.submissions.instance(job.instance_id).object_key


def test_a_preview_that_cannot_be_kept_is_shown_all_the_same(stage):
    """A store that takes nothing now still has the film."""
    done = completed(stage)

    def full(*_: object, **__: object):
        raise ObjectStoreUnavailable("full")

    stage.store.put = full
    assert decode_preview(stage.show.preview(done.id, NORTH)).shape == (64, 64)


def test_the_preview_of_a_turned_film_is_turned():
    """People see what the models saw."""
    stage = Stage()
    upright = phantom_film(320, 256, seed=1)[::4, ::4]
    job = stage.analyse(stage.queued(graymap(255 - upright)).id)
    assert stage.result(job.id).inverted
    shown = decode_preview(stage.show.preview(job.id, ANY))
    assert np.abs(shown.astype(int) - upright).mean() < 4


def test_a_job_without_a_result_has_neither_preview_nor_heatmap(stage):
    """But it has its film."""
    waiting = next(job for job in listed(stage) if job.state is JobState.QUEUED)
    with pytest.raises(NotFound, match="preview"):
        stage.show.preview(waiting.id, ANY)
    with pytest.raises(NotFound, match="heatmap"):
        stage.show.heatmap(waiting.id, "pneumonia", "normal", ANY)
    assert stage.read.original(waiting.id, ANY)[0].id == waiting.instance_id


@pytest.mark.parametrize(("panel", "label"), [("x", "normal"), ("pneumonia", "x")])
def test_a_heatmap_that_no_model_made_is_not_found(stage, panel, label):
    """Panel and label must both be the model's."""
    with pytest.raises(NotFound, match=f"{panel}/{label}"):
        stage.show.heatmap(completed(stage).id, panel, label, ANY)


def test_changes_are_of_the_keys_site_and_oldest_first(stage):
    """From a moment on, that moment included."""
    assert len(stage.read.changes(FIRST_MOMENT, ANY, 100).jobs) == 6
    north = stage.read.changes(FIRST_MOMENT, NORTH, 100).jobs
    assert {job.site for job in north} == {"north"}
    assert [job.updated_at for job in north] == sorted(job.updated_at for job in north)
    last = completed(stage)
    assert stage.read.changes(last.updated_at, ANY, 100).jobs == (last,)
    stage.advance(60)
    assert stage.read.changes(timedelta(seconds=60), ANY, 100).jobs == (last,)
    assert stage.read.changes(timedelta(seconds=59), ANY, 100).jobs == ()
    assert stage.read.changes(timedelta(), ANY, 100).asked_at == stage.clock.now()


def test_counts_are_of_the_keys_site(stage):
    """By state."""
    assert stage.read.counts(ANY)[JobState.QUEUED] == 5
    assert stage.read.counts(NORTH)[JobState.QUEUED] == 2
    assert stage.read.counts(SOUTH)[JobState.COMPLETED] == 0


def test_a_principal_of_several_sites_sees_all_of_these(stage):
    """Pages, changes and counts; what it may not read of a job is left out."""
    stage.send(film(9), by=key(site="west"))
    grants = (Grant(Role.VIEWER, "north"), Grant(Role.AUDITOR, "south"))
    both = Principal(PrincipalKind.USER, "u", grants=grants)
    assert {job.site for job in listed(stage, both)} == {"north", "south"}
    changed = stage.read.changes(FIRST_MOMENT, both, 100).jobs
    assert {job.site for job in changed} == {"north", "south"}
    assert sum(stage.read.counts(both).values()) == 6
    assert listed(stage, both, JobFilter(sites=frozenset({"west"}))) == []
    (north, *_), (south, *_) = (
        listed(stage, both, JobFilter(sites=frozenset({site}))) for site in ("north", "south")
    )
    assert stage.read.original(north.id, both)
    with pytest.raises(NotPermitted, match="north"):
        stage.read.original(south.id, both)

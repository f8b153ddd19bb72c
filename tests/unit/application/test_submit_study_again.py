"""A film that was sent before answers with the job that it has."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from hilum.application.submission import IncomingFile, SubmissionFields
from hilum.domain.errors import ObjectStoreUnavailable
from tests.unit.application.stage import Stage, film, key


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_the_same_film_again_answers_with_the_job_that_exists(stage):
    """It is not stored twice, not queued twice, and the log says that it was sent again."""
    first = stage.send(film())
    again = stage.send(film())
    assert again.files[0].duplicate
    assert not first.files[0].duplicate
    assert again.files[0].job.id == first.files[0].job.id
    assert again.study_id == first.study_id
    assert len(stage.store.objects) == 1
    assert len(stage.queue.rung) == 1
    assert stage.actions() == ["job.accepted", "job.submitted_again"]


def test_the_same_film_twice_in_one_request_is_one_job(stage):
    """The first is accepted, the second is its duplicate."""
    submitted = stage.send(film(1), film(1), film(2))
    assert [file.duplicate for file in submitted.files] == [False, True, False]
    assert submitted.files[0].job.id == submitted.files[1].job.id
    assert len(stage.store.objects) == 2
    assert len(stage.queue.rung) == 2


def test_a_mixed_batch_of_known_and_new_belongs_to_the_new_study(stage):
    """The study in the answer is the one that was made."""
    old = stage.send(film(1))
    mixed = stage.send(film(1), film(2))
    assert mixed.study_id == mixed.files[1].job.study_id != old.study_id
    assert len(stage.store.objects) == 2


def test_sites_do_not_share_jobs(stage):
    """A site never learns that another one holds the same film."""
    north = stage.send(film(), by=key(site="north")).files[0]
    south = stage.send(film(), by=key(site="south")).files[0]
    assert not south.duplicate
    assert north.job.id != south.job.id


def test_a_new_model_set_reads_a_known_film_anew(stage):
    """Results are keyed by the model set."""
    first = stage.send(film()).files[0]
    stage.catalogue.models = (replace(stage.catalogue.models[0], version="2.0.0"),)
    second = stage.send(film()).files[0]
    assert not second.duplicate
    assert first.job.id != second.job.id


def test_a_duplicate_rings_nothing_even_with_the_broker_down(stage):
    """There is nothing to ring for, and nothing to mark."""
    stage.send(film())
    stage.queue.available = False
    assert stage.send(film()).files[0].duplicate
    assert len(stage.queue.rung) == 1


def test_an_orphan_that_cannot_be_deleted_is_no_error(stage):
    """The answer does not depend on it."""
    stage.send(film())
    delete = stage.store.delete

    def down(object_key):
        raise ObjectStoreUnavailable("down")

    stage.store.delete = down
    assert stage.send(film()).files[0].duplicate
    stage.store.delete = delete


def test_the_same_film_sent_by_many_at_once_is_one_job(stage):
    """Exactly one of them made it; all answer with it, and one object is left."""
    answers = []

    def send():
        answers.append(stage.send(film()).files[0])

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer.job.id for answer in answers}) == 1
    assert sum(not answer.duplicate for answer in answers) == 1
    assert len(stage.store.objects) == 1
    assert len(stage.queue.rung) == 1


@pytest.mark.parametrize("cut", [1, 7, 100, 5000])
def test_however_the_bytes_are_cut_the_film_is_the_same(stage, cut):
    """Chunk borders mean nothing: neither to the digest nor to the object."""
    content = film(3, size=70)
    pieces = [content[at : at + cut] for at in range(0, len(content), cut)]
    stage.submit([IncomingFile("a", pieces)], SubmissionFields, key(), "r")
    assert list(stage.store.objects.values()) == [content]
    assert stage.send(content).files[0].duplicate

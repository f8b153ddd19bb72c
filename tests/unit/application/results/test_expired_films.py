"""A film that has expired says so, and is kept again when it is sent again."""

from __future__ import annotations

import pytest

from hilum.domain.errors import FilmExpired, ObjectStoreUnavailable
from tests.unit.application.hospital import DAY_S, RULE, Hospital
from tests.unit.application.stage import ME, film, key


@pytest.fixture
def hospital() -> Hospital:
    return Hospital()


def test_an_expired_film_says_so(hospital):
    """Original, preview and heatmap; outlines need no film. Who may not see it learns nothing."""
    job = hospital.film_read(site="north")
    hospital.advance(31 * DAY_S)
    hospital.expire(RULE, ME)
    day = hospital.job(job.id).film_expired_at.date().isoformat()
    label = hospital.result(job.id).panels[0].findings[0].label
    asked = (
        lambda: hospital.show.preview(job.id, key()),
        lambda: hospital.show.heatmap(job.id, "pneumonia", label, key()),
        lambda: hospital.read.original(job.id, key()),
    )
    for ask in asked:
        with pytest.raises(FilmExpired, match=f"removed by retention on {day}"):
            ask()


def test_a_film_that_is_sent_again_is_kept_again(hospital):
    """With the job that it has; nothing is read anew, and its days begin again."""
    job = hospital.film_read()
    hospital.advance(31 * DAY_S)
    hospital.expire(RULE, ME)
    again = hospital.send(film())
    (answer,) = again.files
    assert (answer.job.id, answer.duplicate, answer.kept) == (job.id, True, True)
    assert answer.job.film_expired_at is None
    assert len(hospital.queue.woken) == 1
    assert list(hospital.store.objects.values()) == [film()]
    assert hospital.store.objects[hospital.object_key(job)] == film()
    assert hospital.show.preview(job.id, key())
    assert hospital.actions()[-1] == "job.film_restored"
    hospital.advance(30 * DAY_S)
    assert hospital.expire(RULE, ME).films == 0
    hospital.advance(1)
    assert hospital.expire(RULE, ME).films == 1
    assert hospital.store.objects == {}


def test_a_film_that_is_sent_again_before_its_removal_ended_is_kept(hospital):
    """The removal that is still to come has the former key."""
    job = hospital.film_read()
    hospital.advance(31 * DAY_S)
    hospital.store.available = False
    with pytest.raises(ObjectStoreUnavailable):
        hospital.expire(RULE, ME)
    hospital.store.available = True
    former = hospital.object_key(job)
    hospital.send(film())
    assert hospital.expire(RULE, ME).objects == 2
    assert former not in hospital.store.objects
    assert hospital.store.objects == {hospital.object_key(job): film()}


def test_an_expired_film_that_is_sent_twice_at_once_is_stored_once(hospital):
    """The second is a film that the platform has."""
    job = hospital.film_read()
    hospital.advance(31 * DAY_S)
    hospital.expire(RULE, ME)
    sent = hospital.send(film(), film(9), film())
    assert [(file.duplicate, file.kept) for file in sent.files] == [
        (True, True),
        (False, True),
        (True, False),
    ]
    assert sent.files[0].job == sent.files[2].job == hospital.job(job.id)
    assert len(hospital.store.objects) == 2
    assert hospital.actions()[-3:] == [
        "job.accepted",
        "job.film_restored",
        "job.submitted_again",
    ]


def test_a_refused_file_among_films_that_come_again_disturbs_nothing(hospital):
    """Each file's bytes follow its own answer."""
    hospital.film_read(1)
    sent = hospital.send(b"no film", film(1), b"", film(2))
    assert len(sent.accepted) == 2
    kept = sorted(value for name, value in hospital.store.objects.items() if "films/" in name)
    assert kept == sorted([film(1), film(2)])

"""Sending films: in batches, again after an outage, in halves where it was too much."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hilum_cli import submission
from hilum_cli.failure import Failure, GatewayRefusal, GatewayUnreachable
from hilum_cli.submission import send

if TYPE_CHECKING:
    from pathlib import Path


class Door:
    """Stands for the gateway: takes what its limits allow, after a number of outages."""

    def __init__(self, *, most_files: int = 100, outages: int = 0) -> None:
        self.requests: list[list[str]] = []
        self.fields: list[dict[str, str]] = []
        self._most_files = most_files
        self.outages = outages
        self.refused: set[str] = set()

    def submit(self, films, fields):
        names = [film.name for film in films]
        if self.outages:
            self.outages -= 1
            raise GatewayRefusal(503, "object_store_unavailable", "down", retry_after=7)
        if len(films) > self._most_files:
            raise GatewayRefusal(422, "too_many_files", f"at most {self._most_files}")
        self.requests.append(names)
        self.fields.append(dict(fields))
        reason = {"code": "unsupported_format", "detail": "no film"}
        jobs = [
            {"job_id": None, "reason": reason}
            if name in self.refused
            else {"job_id": f"job-{name}", "reason": None}
            for name in names
        ]
        if all(job["job_id"] is None for job in jobs):
            raise GatewayRefusal(422, reason["code"], reason["detail"], films=jobs)
        return {"jobs": jobs}


@pytest.fixture
def films(tmp_path) -> list[Path]:
    paths = [tmp_path / f"{n:02}" for n in range(20)]
    for path in paths:
        path.write_bytes(b"x" * 100)
    return paths


@pytest.fixture
def pauses() -> list[float]:
    return []


def sent(door, films, pauses=None, **fields: str):
    pause = (lambda _: None) if pauses is None else pauses.append
    return list(send(door, films, fields, pause=pause))


def test_films_are_sent_in_handfuls_and_answered_in_their_order(films):
    """Each with the job of its own; every request has the fields."""
    door = Door()
    answers = sent(door, films, priority="stat")
    assert [(film.path, film.job_id) for film in answers] == [
        (path, f"job-{path.name}") for path in films
    ]
    assert [len(names) for names in door.requests] == [16, 4]
    assert door.fields == [{"priority": "stat"}] * 2


def test_a_request_does_not_grow_beyond_its_bytes(films, monkeypatch):
    """A film that is larger than that goes alone."""
    monkeypatch.setattr(submission, "_MOST_BYTES", 250)
    films[3].write_bytes(b"x" * 1000)
    door = Door()
    sent(door, films[:6])
    assert door.requests == [["00", "01"], ["02"], ["03"], ["04", "05"]]


def test_what_is_too_much_for_the_gateway_is_sent_in_halves(films):
    """Down to what it takes; the answers stay in order."""
    door = Door(most_files=3)
    answers = sent(door, films[:10])
    assert [film.path for film in answers] == films[:10]
    assert max(len(names) for names in door.requests) <= 3


def test_a_film_that_is_too_much_alone_is_refused_alone(films):
    """And the others are sent."""

    class Narrow(Door):
        def submit(self, films, fields):
            if any(film.name == "01" for film in films):
                raise GatewayRefusal(413, "request_too_large", "at most 5 bytes", advice="fewer")
            return super().submit(films, fields)

    answers = sent(Narrow(), films[:3])
    assert [film.job_id for film in answers] == ["job-00", None, "job-02"]
    told = {"code": "request_too_large", "detail": "at most 5 bytes", "advice": "fewer"}
    assert answers[1].refusal == told


def test_refused_films_have_their_reason(films):
    """Among accepted ones, and where all of a request were refused."""
    door = Door()
    door.refused = {"01", "16", "17", "18", "19"}
    answers = sent(door, films)
    refused = [film.path.name for film in answers if film.job_id is None]
    assert refused == sorted(door.refused)
    assert all(film.refusal for film in answers if film.job_id is None)


def test_an_outage_is_waited_for(films, pauses):
    """As long as the gateway asked for; sending again is safe."""
    door = Door(outages=3)
    assert len(sent(door, films[:2], pauses)) == 2
    assert pauses == [7, 7, 7]


def test_an_outage_that_lasts_is_told(films, pauses):
    """After a handful of tries."""
    with pytest.raises(GatewayRefusal, match="object_store_unavailable"):
        sent(Door(outages=100), films[:2], pauses)
    assert 3 < len(pauses) < 10


@pytest.mark.parametrize(
    ("failure", "exit_code"),
    [
        (GatewayRefusal(401, "not_authenticated", "no"), 3),
        (GatewayRefusal(403, "not_permitted", "no"), 3),
        (GatewayRefusal(400, "invalid_request", "no"), 1),
        (GatewayUnreachable("http://h", "refused"), 3),
    ],
)
def test_a_refusal_of_the_request_ends_the_command(films, failure, exit_code):
    """With the code that its kind has."""

    class Closed(Door):
        def submit(self, *_: object):
            raise failure

    with pytest.raises(Failure) as raised:
        sent(Closed(), films)
    assert raised.value.exit_code == exit_code


def test_an_answer_for_fewer_films_than_were_sent_is_not_guessed_at(films):
    """Whose it was could not be told."""

    class Forgetful(Door):
        def submit(self, films, fields):
            return {"jobs": super().submit(films, fields)["jobs"][1:]}

    with pytest.raises(Failure, match="2 of 3"):
        sent(Forgetful(), films[:3])


def test_a_file_that_vanished_is_named(films):
    """One sentence."""
    films[1].unlink()
    with pytest.raises(Failure, match="01"):
        sent(Door(), films)

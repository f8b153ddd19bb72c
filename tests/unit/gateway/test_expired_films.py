"""A film that retention removed: pictures say so, the result stays, sending it brings it back."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from hilum.application.retention.expire_films import ExpireFilms, RetentionRule
from hilum.domain.principal import Role, local_command
from tests.unit.gateway.api import Api, FakeGateway, film_bytes, problem

HEATMAP = "heatmaps/pneumonia/covid19.png"
PICTURES = ["preview.png", "original", HEATMAP, f"{HEATMAP}?layer=true"]


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
def api(gateway) -> Api:
    return Api(gateway)


def expire(gateway: FakeGateway) -> str:
    """Let every film expire; the day on which it did."""
    gateway.clock.advance(timedelta(days=31))
    run = ExpireFilms(unit_of_work=gateway.unit_of_work, store=gateway.store, clock=gateway.clock)
    assert run(RetentionRule(30), local_command("test")).films
    return gateway.clock.now().date().isoformat()


@pytest.mark.parametrize("picture", PICTURES)
def test_what_needs_the_film_is_gone_and_says_since_when(gateway, api, picture):
    """410 with a stable code, not a defect, and not as if it had never been."""
    job_id = api.completed()
    assert api.get(f"/v1/jobs/{job_id}/{picture}").status_code == 200
    day = expire(gateway)
    document = problem(api.get(f"/v1/jobs/{job_id}/{picture}"), 410, "film_expired")
    assert f"removed by retention on {day}" in document["detail"]


@pytest.mark.parametrize("picture", ["preview.png", HEATMAP])
def test_who_holds_the_picture_is_told_as_well(gateway, api, picture):
    """A 304 would say that it is still there."""
    path = f"/v1/jobs/{api.completed()}/{picture}"
    tag = {"If-None-Match": api.get(path).headers["etag"]}
    assert api.get(path, headers=tag).status_code == 304
    expire(gateway)
    problem(api.get(path, headers=tag), 410, "film_expired")


def test_a_film_of_another_site_is_still_none(gateway, api):
    """Who may not see it does not learn that it was ever there."""
    job_id = api.completed(site="north")
    expire(gateway)
    other = Api(gateway, Role.VIEWER, "south")
    problem(other.get(f"/v1/jobs/{job_id}/preview.png"), 404, "not_found")


def test_the_result_stays_and_the_job_says_when_the_film_went(gateway, api):
    """In the job and in the list of jobs."""
    job_id = api.completed()
    before = api.get(f"/v1/jobs/{job_id}").json()
    assert before["film_expired_at"] is None
    day = expire(gateway)
    after = api.get(f"/v1/jobs/{job_id}").json()
    assert after["film_expired_at"].startswith(day)
    assert after == before | {"film_expired_at": after["film_expired_at"]}
    (listed,) = api.get("/v1/jobs").json()["jobs"]
    assert listed["film_expired_at"] == after["film_expired_at"]


def test_sending_the_film_again_brings_it_back(gateway, api):
    """With the job and the result that it has."""
    job_id = api.completed()
    preview = api.get(f"/v1/jobs/{job_id}/preview.png").content
    expire(gateway)
    again = api.submit(("film-1.pgm", film_bytes(1)))
    assert again.json()["jobs"][0]["duplicate_of"] == job_id
    assert api.get(f"/v1/jobs/{job_id}").json()["film_expired_at"] is None
    assert api.get(f"/v1/jobs/{job_id}/preview.png").content == preview
    assert api.get(f"/v1/jobs/{job_id}/original").status_code == 200


def test_the_page_shows_the_findings_and_says_that_the_film_is_gone(gateway, api):
    """No broken picture, no heatmap to choose, no download."""
    job_id = api.completed()
    before = gateway.person(Role.VIEWER).get(f"/films/{job_id}").text
    day = expire(gateway)
    page = gateway.person(Role.VIEWER).get(f"/films/{job_id}").text
    words = " ".join(re.sub("<[^>]+>", "", page).split())
    assert f"removed by retention on {day}" in words
    for gone in ("film-image", "preview.png", "/original", 'name="heatmap"'):
        assert gone in before
        assert gone not in page
    assert page.count('role="row"') == before.count('role="row"')


def test_a_link_to_a_heatmap_of_an_expired_film_shows_the_page(gateway, api):
    """What somebody wrote down years ago leads to the findings, not to an error."""
    job_id = api.completed()
    expire(gateway)
    answer = gateway.person().get(f"/films/{job_id}", params={"heatmap": "pneumonia/covid19"})
    assert answer.status_code == 200
    assert "film_expired" in answer.text


def test_a_picture_of_an_expired_film_is_an_error_page_for_a_person(gateway, api):
    """With what can be done about it."""
    job_id = api.completed()
    expire(gateway)
    answer = gateway.person().get(f"/films/{job_id}/original")
    assert answer.status_code == 410
    assert "This image is no longer kept" in answer.text
    assert "Send the image again" in answer.text

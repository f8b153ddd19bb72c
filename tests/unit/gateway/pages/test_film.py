"""The page of one film."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from hilum.domain.errors import InferenceFailed, UnsupportedFormat
from hilum.domain.job import JobState
from hilum.domain.principal import Role
from tests.unit.gateway.pages.browsing import FakeGateway, send

ROW = re.compile(
    r'<tr role="row" data-panel="\w+" data-label="(\w+)"\s+class="([\w ]+?) ?">(.*?)</tr>',
    re.DOTALL,
)


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


def only_film(gateway: FakeGateway) -> str:
    """Address of the page of the one film there is."""
    with gateway.unit_of_work.begin(write=False) as transaction:
        (job,) = transaction.jobs.changed_since(gateway.clock.now(), None, 100)
    return f"/films/{job.id}"


def state(gateway: FakeGateway) -> JobState:
    with gateway.unit_of_work.begin(write=False) as transaction:
        (job,) = transaction.jobs.changed_since(gateway.clock.now(), None, 100)
    return job.state


@pytest.fixture
def completed(gateway) -> str:
    """Address of a film that was read, of the site `north`."""
    send(gateway.person(Role.SUBMITTER, "north"), "film.pgm")
    gateway.work()
    return only_film(gateway)


@pytest.fixture
def failed(gateway) -> str:
    """Address of a film whose job is parked, of the site `north`."""
    gateway.engine.failure = InferenceFailed("the model gave another shape than promised")
    send(gateway.person(Role.SUBMITTER, "north"), "film.pgm")
    gateway.work()
    gateway.engine.failure = None
    return only_film(gateway)


def test_each_finding_stands_with_probability_operating_point_and_reading(gateway, completed):
    """The table agrees with the stored result, row by row."""
    page = gateway.person(Role.VIEWER).get(completed).text
    with gateway.unit_of_work.begin(write=False) as transaction:
        (job,) = transaction.jobs.changed_since(gateway.clock.now(), None, 100)
        panel = transaction.results.get(job.id).panels[0]
    rows = {label: (classes.split(), cells) for label, classes, cells in ROW.findall(page)}
    assert set(rows) == {finding.label for finding in panel.findings}
    for finding in panel.findings:
        classes, cells = rows[finding.label]
        assert f'class="number">{finding.probability:.3f}<' in cells
        assert f"{finding.operating_point:.3f}</td>" in cells
        assert ("positive" in classes) is finding.positive
        assert ("abnormal" in classes) is finding.abnormal
        assert (">Positive<" in cells) is finding.positive
        assert (">Negative<" in cells) is not finding.positive
        assert (f"/heatmaps/pneumonia/{finding.label}.png" in page) is finding.heatmap
    assert "Model pneumonia 1.0.0" in page


def test_a_heatmap_is_chosen_by_the_address(gateway, completed):
    """The page with a heatmap can be linked to, and works without scripts."""
    page = gateway.person().get(completed, params={"heatmap": "pneumonia/covid19"}).text
    shown = re.search(r'<img id="heatmap-image".*?>', page, re.DOTALL)[0]
    assert f'src="{completed}/heatmaps/pneumonia/covid19.png?colour=0"' in shown
    assert "hidden" not in shown
    without = gateway.person().get(completed).text
    assert "hidden" in re.search(r'<img id="heatmap-image".*?>', without, re.DOTALL)[0]


def test_a_heatmap_that_does_not_exist_is_not_found(gateway, completed):
    """A made-up heatmap never becomes part of the page."""
    answer = gateway.person().get(completed, params={"heatmap": "pneumonia/broken-rib"})
    assert answer.status_code == 404
    assert "broken-rib" not in answer.text


def test_a_film_that_is_not_read_yet_asks_again_by_itself(gateway):
    """While a job is not settled its page refreshes; once it is, it stops."""
    browser = gateway.person()
    send(browser, "film.pgm")
    address = only_film(gateway)
    waiting = browser.get(address).text
    assert f'hx-get="{address}"' in waiting
    assert "Waits for a worker." in waiting
    assert "film-image" not in waiting
    gateway.work()
    done = browser.get(address).text
    assert "hx-trigger" not in done
    assert "film-image" in done


def test_a_rejected_film_says_why_and_what_to_do(gateway):
    """The reason of a rejection stands in words, with its code and with advice."""
    send(gateway.person(), "film.pgm")
    gateway.store.objects = dict.fromkeys(gateway.store.objects, b"P5 something else")
    with gateway.unit_of_work.begin(write=False) as transaction:
        (job,) = transaction.jobs.changed_since(gateway.clock.now(), None, 1)
        stored = transaction.submissions.instance(job.instance_id)
    gateway.store.objects[stored.object_key] = b"\0" * stored.size_bytes
    gateway.work()
    assert state(gateway) is JobState.REJECTED
    page = gateway.person().get(only_film(gateway)).text
    assert "This image was rejected" in page
    assert UnsupportedFormat.code in page
    assert "Send the image as DICOM, PNG or JPEG." in page
    assert "Try again" not in page


def test_an_operator_can_try_a_parked_film_again(gateway, failed):
    """The button queues the job again, and it completes."""
    operator = gateway.person(Role.OPERATOR, "north")
    page = operator.get(failed).text
    assert "This image could not be analysed" in page
    assert "an operator can try again" in page
    answer = operator.post(f"{failed}/retry")
    assert (answer.status_code, answer.headers["location"]) == (303, failed)
    gateway.work()
    assert state(gateway) is JobState.COMPLETED


def test_an_operator_can_discard_a_parked_film(gateway, failed):
    """The button ends the job for good."""
    gateway.person(Role.OPERATOR, "north").post(f"{failed}/discard")
    assert state(gateway) is JobState.DISCARDED


@pytest.mark.parametrize("action", ["retry", "discard"])
@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUBMITTER])
def test_who_may_not_operate_is_offered_nothing_and_refused(gateway, failed, role, action):
    """There is no button, and the server refuses the request all the same."""
    person = gateway.person(role, "north")
    assert f"{failed}/{action}" not in person.get(failed).text
    assert person.post(f"{failed}/{action}").status_code == 403
    assert state(gateway) is JobState.FAILED


@pytest.mark.parametrize("action", ["retry", "discard"])
def test_another_site_cannot_operate_with_a_persons_session(gateway, failed, action):
    """A form from elsewhere changes nothing."""
    operator = gateway.person(Role.OPERATOR, "north")
    answer = operator.post(f"{failed}/{action}", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert state(gateway) is JobState.FAILED


def test_a_completed_film_cannot_be_tried_again(gateway, completed):
    """What the job's state does not allow is a conflict that a person can read."""
    answer = gateway.person().post(f"{completed}/retry")
    assert answer.status_code == 409
    assert "The job has changed meanwhile" in answer.text


def test_a_film_of_another_site_does_not_exist(gateway, completed):
    """A key of another site gets the same answer as for a film that was never sent."""
    stranger = gateway.person(Role.ADMIN, "south")
    hidden = stranger.get(completed)
    missing = stranger.get(f"/films/{uuid4()}")
    assert hidden.status_code == missing.status_code == 404
    assert "film.pgm" not in hidden.text


def test_a_malformed_number_is_a_film_that_does_not_exist(gateway):
    """An address that no film can have is answered with a page."""
    answer = gateway.person().get("/films/not-a-number")
    assert answer.status_code == 404
    assert "There is no such image." in answer.text

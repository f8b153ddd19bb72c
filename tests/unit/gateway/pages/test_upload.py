"""Sending films from the page."""

from __future__ import annotations

import pytest

from hilum.domain.job import JobState, Priority
from hilum.domain.principal import Role
from tests.unit.gateway.pages.browsing import (
    MAX_FILE_BYTES,
    FakeGateway,
    fake_settings,
    film_bytes,
    send,
)

HTMX = {"HX-Request": "true", "HX-Target": "upload-result"}


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


def jobs(gateway: FakeGateway) -> list:
    with gateway.unit_of_work.begin(write=False) as transaction:
        return list(transaction.jobs.changed_since(gateway.clock.now(), None, 100))


def test_every_film_of_a_form_gets_a_job_of_the_chosen_priority(gateway):
    """Films sent together are queued with the priority of the form."""
    answer = send(gateway.person(Role.SUBMITTER), "a.pgm", "b.pgm", priority="stat")
    assert answer.status_code == 200
    assert "All 2 images were accepted" in answer.text
    assert {(job.filename, job.priority, job.state) for job in jobs(gateway)} == {
        ("a.pgm", Priority.STAT, JobState.QUEUED),
        ("b.pgm", Priority.STAT, JobState.QUEUED),
    }


def test_each_accepted_film_is_linked_and_each_refused_one_explained(gateway):
    """A mixed form says of every file what became of it, and what to do."""
    browser = gateway.person()
    files = [("files", ("film.pgm", film_bytes())), ("files", ("notes.txt", b"no film at all"))]
    answer = browser.post("/films", files=files, headers=HTMX)
    assert answer.status_code == 200
    assert "1 of 2 images accepted" in answer.text
    (job,) = jobs(gateway)
    assert f'<a href="/films/{job.id}">film.pgm</a>' in answer.text
    assert "<strong>notes.txt</strong> refused: Not a portable graymap." in answer.text
    assert "Send the image as DICOM, PNG or JPEG." in answer.text


def test_htmx_is_given_a_fragment_and_the_worklist_is_told(gateway):
    """The answer to htmx has no page around it and makes the list ask again."""
    files = [("files", ("film.pgm", film_bytes()))]
    answer = gateway.person().post("/films", files=files, headers=HTMX)
    assert "<html" not in answer.text
    assert answer.headers["hx-trigger"] == "submitted"


def test_without_scripts_the_form_works_too(gateway):
    """A plain form post is answered with a page that leads back."""
    answer = send(gateway.person(), "film.pgm")
    assert "<html" in answer.text
    assert '<a href="/">Back to the worklist</a>' in answer.text


def test_the_same_film_again_leads_to_the_job_that_exists(gateway):
    """A film that was sent before is linked to its job, with the job's state."""
    browser = gateway.person()
    send(browser, "film.pgm")
    gateway.work()
    (job,) = jobs(gateway)
    again = send(browser, "same-film.pgm")
    assert f'<a href="/films/{job.id}">same-film.pgm</a>' in again.text
    assert "was sent before; its state is: completed." in again.text
    assert len(jobs(gateway)) == 1


def test_a_file_over_the_limit_is_refused_with_the_limit(gateway):
    """The reason names the limit; the other films are taken."""
    header = film_bytes()[:20]
    too_large = header + b"\0" * (MAX_FILE_BYTES + 1)
    files = [("files", ("large.pgm", too_large)), ("files", ("film.pgm", film_bytes()))]
    answer = gateway.person().post("/films", files=files, headers=HTMX)
    assert f"at most {MAX_FILE_BYTES} bytes" in answer.text
    assert "1 of 2 images accepted" in answer.text


def test_when_no_file_is_a_film_nothing_was_accepted(gateway):
    """The status says that nothing was taken, the text why."""
    answer = gateway.person().post("/films", files=[("files", ("a.txt", b"no"))], headers=HTMX)
    assert answer.status_code == 422
    assert "No image of 1 was accepted" in answer.text


def test_too_many_files_are_refused_all_together(gateway):
    """A form over the limit on files is refused as a whole, in the place for the form's answers."""
    answer = gateway.person().post(
        "/films",
        files=[("files", (f"{n}.pgm", film_bytes(n))) for n in range(5)],
        headers=HTMX,
    )
    assert answer.status_code == 422
    assert "At most 4 files in one request." in answer.text
    assert "hx-retarget" not in answer.headers
    assert jobs(gateway) == []


def test_a_request_over_the_limit_is_a_page_that_names_it(gateway):
    """413 for people: what the limit is and what to do."""
    gateway = FakeGateway(settings=fake_settings(upload={"max_bytes": 2000}))
    answer = send(gateway.person(), "film.pgm")
    assert answer.status_code == 413
    assert "at most 2000 bytes" in answer.text
    assert "Send fewer or smaller images at a time." in answer.text


def test_while_the_store_is_down_a_form_can_be_sent_again_later(gateway):
    """503 with Retry-After, nothing accepted, nothing about the inside."""
    browser = gateway.person()
    gateway.store.available = False
    answer = send(browser, "film.pgm")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "Not available for the moment" in answer.text
    assert "object store" not in answer.text
    assert jobs(gateway) == []


def test_a_viewer_may_not_send_films(gateway):
    """The server refuses what the page does not offer."""
    answer = send(gateway.person(Role.VIEWER), "film.pgm")
    assert answer.status_code == 403
    assert "A key of the role viewer may not submit." in answer.text
    assert jobs(gateway) == []


def test_another_site_cannot_send_films_with_a_persons_session(gateway):
    """A form from elsewhere is refused before its first byte is read."""
    files = [("files", ("film.pgm", film_bytes()))]
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert gateway.person().post("/films", files=files, headers=headers).status_code == 403
    assert jobs(gateway) == []


def test_without_a_session_films_are_not_taken(gateway):
    """Whose session is over is sent to sign in, and back to the worklist."""
    answer = send(gateway.visitor(), "film.pgm")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in"
    assert jobs(gateway) == []

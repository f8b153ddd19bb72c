"""What a person sees when something goes wrong."""

from __future__ import annotations

import pytest

from tests.unit.gateway.pages.browsing import FakeGateway


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


def test_a_path_that_nothing_serves_is_a_page_for_a_browser(gateway):
    """A mistyped address is answered in words."""
    answer = gateway.visitor().get("/fims")
    assert answer.status_code == 404
    assert "There is no such page." in answer.text


@pytest.mark.parametrize(
    ("path", "accept"), [("/fims", "application/json"), ("/v1/nothing", "text/html")]
)
def test_a_program_gets_a_problem(gateway, path, accept):
    """Programs, and whoever asks the API, get problem details."""
    answer = gateway.visitor().get(path, headers={"Accept": accept})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_while_the_database_is_down_the_page_says_so(gateway):
    """503 with Retry-After and words, without anything about the inside."""
    browser = gateway.person()
    gateway.unit_of_work.available = False
    answer = browser.get("/")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "Not available for the moment" in answer.text
    assert "told not to" not in answer.text


def test_an_error_of_a_part_of_a_page_goes_to_the_notice(gateway):
    """The words are put where they do not replace the list."""
    browser = gateway.person()
    gateway.unit_of_work.available = False
    answer = browser.get("/", headers={"HX-Request": "true"})
    assert answer.status_code == 503
    assert answer.headers["hx-retarget"] == "#notice"
    assert "<html" not in answer.text


def test_a_defect_is_a_page_that_tells_nothing_of_the_inside(gateway, monkeypatch):
    """An exception that nobody foresaw is a page, too; its text stays in the log."""
    browser = gateway.person()

    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret inside")

    monkeypatch.setattr("hilum_gateway.pages.worklist_routes._choices", broken)
    answer = browser.get("/")
    assert answer.status_code == 500
    assert "Something went wrong in Hilum" in answer.text
    assert "secret inside" not in answer.text

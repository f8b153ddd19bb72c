"""The worklist."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from hilum.domain.principal import Role
from hilum_gateway.pages.worklist_routes import ROWS
from tests.unit.gateway.pages.browsing import FakeGateway, send

FILM_LINK = re.compile(r'class="film-link" href="(/films/[0-9a-f-]{36})">([^<]+)</a>')


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


def films(text: str) -> list[str]:
    return [name for _, name in FILM_LINK.findall(text)]


def test_without_a_film_the_worklist_says_so(gateway):
    """An empty worklist is explained, not blank."""
    assert "No image has been sent yet." in gateway.person().get("/").text


def test_the_newest_film_stands_first_with_its_state(gateway):
    """Films stand newest first, each with its state."""
    browser = gateway.person()
    send(browser, "first.pgm")
    gateway.work()
    gateway.clock.advance(timedelta(minutes=1))
    send(browser, "second.pgm", seed=9)
    page = browser.get("/").text
    assert films(page) == ["second.pgm", "first.pgm"]
    assert page.index('data-state="queued"') < page.index('data-state="completed"')


def test_positive_abnormal_findings_are_named_the_most_probable_first(gateway):
    """A row names what the impression names, with the probability; `normal` is not among it."""
    browser = gateway.person()
    send(browser, "film.pgm")
    gateway.work()
    chips = re.findall(r'<span class="chip">([^<]+) <b>(0\.\d\d)</b>', browser.get("/").text)
    assert [name for name, _ in chips] == ["covid19"]


def test_a_list_asks_the_database_as_often_for_many_films_as_for_one(gateway, monkeypatch):
    """The findings of every row come in one query, not in one for each row."""
    browser = gateway.person()
    asked: list[bool] = []
    begin = gateway.unit_of_work.begin
    monkeypatch.setattr(
        gateway.unit_of_work,
        "begin",
        lambda *, write=True: asked.append(write) or begin(write=write),
    )

    def transactions() -> int:
        # A gateway that has seen nothing yet.
        fresh = gateway.rebuilt().person()
        asked.clear()
        assert fresh.get("/").text.count('class="chip"') > 0
        return len(asked)

    send(browser, "first.pgm")
    gateway.work()
    with_one = transactions()
    send(browser, "a.pgm", "b.pgm", "c.pgm", seed=20)
    gateway.work()
    assert transactions() == with_one


def test_a_file_name_cannot_bring_markup_into_the_page(gateway):
    """What a sender calls a film is text."""
    browser = gateway.person()
    send(browser, "<img src=x onerror=alert(1)>.pgm")
    page = browser.get("/").text
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;.pgm" in page


def test_a_filter_shows_one_state_and_every_filter_its_count(gateway):
    """The filter shows the films of its state only; the counts are those of all films."""
    browser = gateway.person()
    send(browser, "read.pgm", "read-too.pgm")
    gateway.work()
    send(browser, "waiting.pgm", seed=9)
    page = browser.get("/?state=queued").text
    assert films(page) == ["waiting.pgm"]
    counts = dict(re.findall(r'id="filter-(\w+)".*?class="count">(\d+)<', page, re.DOTALL))
    assert counts["all"] == "3"
    assert counts["completed"] == "2"
    assert counts["queued"] == "1"
    assert counts["failed"] == "0"


def test_an_unknown_state_is_refused_on_a_page(gateway):
    """A filter that does not exist is an error that a person can read."""
    answer = gateway.person().get("/?state=lost")
    assert answer.status_code == 400
    assert "There is no such state." in answer.text


def test_following_the_older_films_shows_every_film_once(gateway):
    """Pages follow one another without gaps or repetitions, though films come in meanwhile."""
    browser = gateway.person()
    sent = [f"film-{number:02}.pgm" for number in range(2 * ROWS + 3)]
    for number, name in enumerate(sent):
        send(browser, name, seed=number)
        gateway.clock.advance(timedelta(seconds=1))
    seen, address = [], "/"
    while address:
        page = browser.get(address).text
        seen += films(page)
        older = re.search(r'id="older" rel="next" href="([^"]+)"', page)
        address = older[1].replace("&amp;", "&") if older else ""
        send(browser, f"late-{len(seen)}.pgm", seed=1000 + len(seen))
    assert seen == sent[::-1]


def test_a_key_of_one_site_sees_nothing_of_another(gateway):
    """Films of another site are neither listed nor counted."""
    send(gateway.person(Role.SUBMITTER, "north"), "north.pgm")
    page = gateway.person(Role.ADMIN, "south").get("/").text
    assert films(page) == []
    assert '<span class="count">1</span>' not in page


def test_results_that_are_remembered_are_not_shown_to_another_site(gateway):
    """That one site has looked at a result does not show it to another."""
    north = gateway.person(Role.SUBMITTER, "north")
    send(north, "north.pgm")
    gateway.work()
    assert 'class="chip"' in north.get("/").text
    assert 'class="chip"' not in gateway.person(Role.ADMIN, "south").get("/").text


@pytest.mark.parametrize(
    ("role", "shown"), [(Role.VIEWER, False), (Role.SUBMITTER, True), (Role.ADMIN, True)]
)
def test_only_who_may_send_films_sees_the_form_for_it(gateway, role, shown):
    """The upload form is for keys that may submit."""
    assert ('id="upload"' in gateway.person(role).get("/").text) is shown


def test_the_page_asks_for_its_list_alone(gateway):
    """A request by htmx is given the list without the page around it."""
    browser = gateway.person()
    fragment = browser.get("/", headers={"HX-Request": "true"}).text.strip()
    assert fragment.startswith('<section id="worklist"')
    assert "<html" not in fragment


def test_a_list_that_is_asked_for_after_the_session_sends_the_page_to_sign_in(gateway):
    """A request by htmx is told where to go, and to come back to the page that is open."""
    answer = gateway.visitor().get(
        "/",
        headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/?state=failed"},
    )
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/sign-in?next=/%3Fstate%3Dfailed"


def test_every_page_says_what_it_is_not_for_and_leaves_nothing_behind(gateway):
    """The notice stands on the page, and the browser may not store it."""
    browser = gateway.person()
    for path in ("/", "/sign-in", "/films/nothing"):
        answer = browser.get(path)
        assert "Research use only, not for diagnosis" in answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert "script-src 'self'" in answer.headers["content-security-policy"]

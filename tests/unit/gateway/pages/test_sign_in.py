"""Signing in, staying signed in, and not."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from itsdangerous import URLSafeSerializer

from hilum.application.access.manage_sessions import SESSION_LENGTH
from hilum.domain.access import parse_key
from hilum.domain.principal import Role, local_command
from hilum_gateway.pages.failed_sign_ins import ALLOWED, WINDOW
from tests.unit.gateway.pages.browsing import FakeGateway, fake_settings, sign_in

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

WRONG_KEY = "hilum_000000000000.wrong"


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


def test_a_wrong_key_is_answered_with_a_message_and_no_session(gateway):
    """A wrong key shows the form again, 401, with words and without a cookie."""
    answer = sign_in(gateway.visitor(), WRONG_KEY)
    assert answer.status_code == 401
    assert "This key is unknown or was revoked" in answer.text
    assert "set-cookie" not in answer.headers


def test_a_right_key_opens_a_session(gateway):
    """After signing in, the worklist is shown and names the key."""
    browser = gateway.person(Role.VIEWER)
    page = browser.get("/")
    assert page.status_code == 200
    assert "viewer at *" in page.text


def test_the_cookie_is_closed_to_scripts_and_other_sites_and_holds_no_secret(gateway):
    """The cookie is HttpOnly and SameSite=Strict, ends, and does not contain the key's secret."""
    key = gateway.new_key()
    cookie = sign_in(gateway.visitor(), key).headers["set-cookie"]
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= attributes
    assert f"max-age={int(SESSION_LENGTH.total_seconds())}" in attributes
    assert "secure" not in attributes
    assert key.partition(".")[2] not in cookie


def test_over_https_the_cookie_is_for_https_only(gateway):
    """Over HTTPS the cookie is Secure and bound to the host, and it works."""
    browser = gateway.visitor("https://testserver")
    browser.headers["Origin"] = "https://testserver"
    answer = sign_in(browser, gateway.new_key())
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-")
    assert "secure" in cookie.lower()
    assert browser.get("/").status_code == 200


def test_after_signing_in_one_goes_where_one_wanted_to(gateway):
    """A page that asked for a sign-in is shown after it."""
    browser = gateway.visitor()
    asked = browser.get("/?state=failed")
    assert asked.status_code == 303
    form = browser.get(asked.headers["location"])
    assert 'name="next" value="/?state=failed"' in form.text
    answer = sign_in(browser, gateway.new_key(), next="/?state=failed")
    assert answer.headers["location"] == "/?state=failed"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://elsewhere.example/",
        "//elsewhere.example/",
        "/\\elsewhere.example/",
        "/\t/elsewhere.example/",
        "\\\\elsewhere.example",
        "javascript:alert(1)",
        "films",
        "",
    ],
)
def test_one_never_goes_to_another_server_after_signing_in(gateway, elsewhere):
    """An address that is not a path of this server leads to the worklist."""
    assert sign_in(gateway.visitor(), gateway.new_key(), next=elsewhere).headers["location"] == "/"
    form = gateway.visitor().get("/sign-in", params={"next": elsewhere})
    assert 'name="next" value="/"' in form.text


def test_a_session_ends(gateway):
    """When the session's time is over, the next page asks to sign in."""
    browser = gateway.person()
    gateway.clock.advance(SESSION_LENGTH - timedelta(seconds=1))
    assert browser.get("/").status_code == 200
    gateway.clock.advance(timedelta(seconds=2))
    assert browser.get("/").headers["location"] == "/sign-in"


def test_revoking_a_key_ends_its_sessions(gateway):
    """The first page after the revocation asks to sign in."""
    key = gateway.new_key()
    browser = gateway.visitor()
    sign_in(browser, key)
    gateway.keys.revoke(key.removeprefix("hilum_").partition(".")[0], local_command("test"))
    assert browser.get("/").status_code == 303


def test_a_forged_cookie_opens_nothing(gateway):
    """A cookie that another secret signed is no session, though it names a key in force."""
    browser = gateway.person()
    forger = FakeGateway(settings=fake_settings(session={"secret": "x" * 40}))
    forger.unit_of_work, forger.keys = gateway.unit_of_work, gateway.keys
    forgery = sign_in(forger.rebuilt().visitor(), gateway.new_key()).headers["set-cookie"]
    name, _, value = forgery.partition(";")[0].partition("=")
    assert browser.get("/").status_code == 200
    browser.cookies.clear()
    browser.cookies.set(name, value)
    assert browser.get("/").status_code == 303


def test_signing_out_closes_the_session(gateway):
    """After signing out, the browser holds no session."""
    browser = gateway.person()
    assert browser.post("/sign-out").headers["location"] == "/sign-in"
    assert not browser.cookies
    assert browser.get("/").status_code == 303


def copied(browser, gateway) -> TestClient:
    """Another browser with a copy of the cookie."""
    thief = gateway.visitor()
    for cookie in browser.cookies.jar:
        thief.cookies.set(cookie.name, cookie.value)
    return thief


def test_a_copied_cookie_is_dead_after_sign_out(gateway):
    """The session ends on the server, for pages, pictures and the event stream alike."""
    browser = gateway.person()
    thief = copied(browser, gateway)
    assert thief.get("/").status_code == 200
    browser.post("/sign-out")
    assert thief.get("/").headers["location"] == "/sign-in"
    stream = thief.get("/worklist/events", headers={"Accept": "text/event-stream"})
    assert stream.status_code == 401


def test_signing_out_ends_one_session_of_a_key(gateway):
    """Who signed in with the same key elsewhere stays signed in."""
    key = gateway.new_key()
    here, there = gateway.visitor(), gateway.visitor()
    sign_in(here, key)
    sign_in(there, key)
    here.post("/sign-out")
    assert there.get("/").status_code == 200


def signer(gateway) -> URLSafeSerializer:
    """What signs cookies in the previous release."""
    secret = gateway.settings.session.secret.get_secret_value()
    options = {"digest_method": hashlib.sha256}
    return URLSafeSerializer(secret, salt="hilum.session", signer_kwargs=options)


def former_cookie(gateway, key: str) -> tuple[str, str]:
    """A cookie as the previous release makes it: the signed id of the key and the end."""
    ends = int((gateway.clock.now() + SESSION_LENGTH).timestamp())
    content = {"key": parse_key(key)[0], "ends": ends}
    return "hilum_session", signer(gateway).dumps(content)


def test_a_session_of_the_previous_release_goes_on(gateway):
    """Until its end, its key's revocation or the sign-out, after which a copy is dead, too."""
    key = gateway.new_key()
    browser = gateway.visitor()
    browser.cookies.set(*former_cookie(gateway, key))
    thief = copied(browser, gateway)
    assert browser.get("/").status_code == thief.get("/").status_code == 200
    browser.post("/sign-out")
    assert thief.get("/").status_code == 303
    thief.post("/sign-out")
    gateway.clock.advance(timedelta(seconds=1))
    other = gateway.visitor()
    other.cookies.set(*former_cookie(gateway, key))
    assert other.get("/").status_code == 200
    gateway.clock.advance(SESSION_LENGTH)
    assert other.get("/").status_code == 303


def test_the_previous_release_takes_the_cookie_for_its_own(gateway):
    """It finds the id of the key and the end, under its signature."""
    key = gateway.new_key()
    browser = gateway.visitor()
    sign_in(browser, key)
    (cookie,) = browser.cookies.jar
    _, former = former_cookie(gateway, key)
    reader = signer(gateway)
    assert reader.loads(cookie.value).items() >= reader.loads(former).items()


@pytest.mark.parametrize(
    "content", [[], {}, "x", 7, {"key": "k"}, {"key": "k", "ends": "soon"}, {"ends": 9e99}]
)
def test_a_signed_cookie_of_another_shape_is_no_session(gateway, content):
    """It asks to sign in and is no defect."""
    browser = gateway.visitor()
    browser.cookies.set("hilum_session", signer(gateway).dumps(content))
    assert browser.get("/").status_code == 303
    assert browser.post("/sign-out").status_code == 303


def test_after_too_many_wrong_keys_an_address_has_to_wait(gateway):
    """The limit answers 429 with a message and Retry-After, to a right key too, and passes."""
    browser = gateway.visitor()
    for _ in range(ALLOWED):
        assert sign_in(browser, WRONG_KEY).status_code == 401
    key = gateway.new_key()
    answer = sign_in(browser, key)
    assert answer.status_code == 429
    assert "Too many failed sign-ins" in answer.text
    assert int(answer.headers["retry-after"]) == WINDOW.total_seconds()
    gateway.clock.advance(WINDOW)
    assert sign_in(browser, key).status_code == 303


def test_a_right_key_forgives_the_mistyped_ones(gateway):
    """Failures before a success do not count any more."""
    browser = gateway.visitor()
    for _ in range(ALLOWED - 1):
        sign_in(browser, WRONG_KEY)
    assert sign_in(browser, gateway.new_key()).status_code == 303
    assert sign_in(browser, WRONG_KEY).status_code == 401


def test_a_huge_sign_in_form_is_refused(gateway):
    """Nobody who is not signed in makes the gateway read much."""
    answer = sign_in(gateway.visitor(), "x" * 100_000)
    assert answer.status_code == 413
    assert "Too large" in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, 403),
        ({"Origin": "http://testserver"}, 303),
        ({"Origin": "http://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
    ],
)
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
def test_a_form_is_taken_from_our_own_pages_only(gateway, path, headers, status):
    """A form that another site sends, or that does not say where it comes from, is refused."""
    browser = gateway.visitor()
    browser.headers.pop("origin")
    answer = browser.post(path, data={"api_key": gateway.new_key()}, headers=headers)
    assert answer.status_code == status

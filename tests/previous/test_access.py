"""Keys, sessions and the audit log, while gateways of two releases share one database."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import httpx
import pytest

from hilum_stack.paths import ROOT
from hilum_stack.ports import reserve_port
from hilum_stack.postgres import PostgresServer
from hilum_stack.services import Gateway
from tests.previous.release import Release, this_release
from tests.servers import run_folder, started

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hilum_stack.process import Command


class GatewayOf(Gateway):
    """A gateway of a release."""

    def __init__(self, release: Release, folder: Path, env: Mapping[str, str]) -> None:
        super().__init__(folder, env, reserve_port())
        self._release = release

    def _command(self) -> Command:
        argv = (str(self._release.python), "-m", "hilum_gateway")
        env = self._release.environment(self.env)
        return replace(super()._command(), argv=argv, env=env)


@dataclass(frozen=True)
class Both:
    """Both releases on one database.

    Attributes:
        previous: The previous release.
        env: Settings of both.
        urls: Address of the previous release's gateway and of this one's.
        key: An administrator's, made by the previous release.
    """

    previous: Release
    env: Mapping[str, str]
    urls: tuple[str, str]
    key: str

    def run(self, *words: str, previous: bool = False) -> str:
        """Run ``hilum`` of a release; what it printed."""
        done = (self.previous if previous else this_release()).run(*words, env=self.env)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def new_key(self, role: str, *, previous: bool = False) -> str:
        """Make a key."""
        return self.run("keys", "create", "--role", role, "--name", role, previous=previous).strip()

    def browser(self, url: str, key: str) -> httpx.Client:
        """Sign in at a gateway."""
        browser = httpx.Client(headers={"Accept": "text/html"}, trust_env=False)
        answer = browser.post(f"{url}/sign-in", data={"api_key": key}, headers={"Origin": url})
        assert answer.status_code == 303, answer.text
        return browser

    def shown(self, browser: httpx.Client) -> tuple[int, int]:
        """Status of the worklist at the previous release's gateway and at this one's."""
        before, now = (browser.get(f"{url}/") for url in self.urls)
        return before.status_code, now.status_code


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)]
)
def both(request: pytest.FixtureRequest, previous: Release) -> Iterator[Both]:
    """A database that the previous release made and this one upgraded."""
    with ExitStack() as running:
        folder = running.enter_context(run_folder())
        database = f"sqlite:///{folder}/hilum.db"
        if request.param == "postgresql":
            database = running.enter_context(started(PostgresServer)).url
        env = {
            "HILUM_DATABASE_URL": database,
            "HILUM_OBJECT_STORE_URL": f"file://{folder}/objects",
            "HILUM_BROKER_URL": f"filesystem://{folder}/broker",
            "HILUM_MODEL_REPOSITORY": str(ROOT / "model_repository"),
            "HILUM_SESSION_SECRET": "s" * 48,
        }
        before = Both(previous, env, ("", ""), "")
        before.run("db", "upgrade", previous=True)
        before.run("store", "prepare", "--object-store-url", env["HILUM_OBJECT_STORE_URL"])
        key = before.new_key("admin", previous=True)
        before.run("db", "upgrade")
        gateways = [
            running.enter_context(GatewayOf(release, folder / name, env).launch())
            for name, release in (("previous", previous), ("this", this_release()))
        ]
        urls = (gateways[0].url, gateways[1].url)
        yield replace(before, urls=urls, key=key)


@pytest.mark.parametrize("at", [0, 1], ids=["previous", "this"])
def test_a_session_of_either_release_is_one_at_both(both: Both, at: int) -> None:
    """Nobody is asked to sign in again, whichever gateway answers."""
    browser = both.browser(both.urls[at], both.key)
    for _ in range(3):
        assert both.shown(browser) == (200, 200)


@pytest.mark.parametrize("at", [0, 1], ids=["previous", "this"])
def test_a_copied_cookie_is_dead_at_this_release_after_sign_out(both: Both, at: int) -> None:
    """The previous release, which keeps no sessions, takes it until its time is over."""
    browser = both.browser(both.urls[at], both.key)
    thief = httpx.Client(headers=browser.headers, cookies=browser.cookies, trust_env=False)
    assert both.shown(thief) == (200, 200)
    here = both.urls[1]
    assert browser.post(f"{here}/sign-out", headers={"Origin": here}).status_code == 303
    assert both.shown(thief) == (200, 303)


def test_a_key_of_a_new_role_is_a_viewers_to_the_previous_release(both: Both) -> None:
    """It lists and revokes the key, and from then on the key opens nothing at either."""
    key = both.new_key("auditor")
    key_id = key.removeprefix("hilum_").partition(".")[0]
    (listed,) = [line for line in _lines(both, previous=True) if key_id in line]
    assert "viewer" in listed
    (listed,) = [line for line in _lines(both) if key_id in line]
    assert "viewer" not in listed
    headers = {"Authorization": f"Bearer {key}"}
    assert _jobs(both, headers) == (200, 200)
    both.run("keys", "revoke", key_id, previous=True)
    assert _jobs(both, headers) == (401, 401)


def test_both_releases_verify_what_both_wrote(both: Both) -> None:
    """During an upgrade, and when the previous release goes on alone after a rollback."""
    for previous in (False, True, True, False, True):
        both.new_key("viewer", previous=previous)
        told = {both.run("audit", "verify", previous=release) for release in (True, False)}
        assert len(told) == 1
        assert "the chain is whole" in told.pop()


def _lines(both: Both, *, previous: bool = False) -> list[str]:
    return both.run("keys", "list", previous=previous).splitlines()


def _jobs(both: Both, headers: Mapping[str, str]) -> tuple[int, int]:
    before, now = (
        httpx.get(f"{url}/v1/jobs", headers=headers, trust_env=False).status_code
        for url in both.urls
    )
    return before, now

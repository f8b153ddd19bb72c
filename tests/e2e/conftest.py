"""A whole Hilum and a browser in front of it."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from hilum.domain.model import Rank, Scope
from hilum_stack.embedded import EmbeddedStack
from hilum_stack.films import choose_films
from hilum_stack.paths import DEFAULT_CXR_FOLDER
from tests.e2e.browsing import PATIENCE_MS
from tests.grey_networks import write_grey_repository
from tests.servers import run_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from hilum.domain.model import Panel

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def hilum() -> Iterator[EmbeddedStack]:
    with run_folder() as folder:
        repository = write_grey_repository(folder / "models")
        with EmbeddedStack(folder / "hilum", model_repository=repository) as stack:
            yield stack


@pytest.fixture(scope="module")
def shipped() -> Iterator[EmbeddedStack]:
    """A Hilum with the models of this repository."""
    with run_folder() as folder, EmbeddedStack(folder / "hilum") as stack:
        yield stack


@pytest.fixture(scope="module")
def ranked() -> Iterator[EmbeddedStack]:
    """A Hilum whose grey networks have ranks and scopes."""
    with run_folder() as folder:
        repository = write_grey_repository(folder / "models", with_ranks)
        with EmbeddedStack(folder / "hilum", model_repository=repository) as stack:
            yield stack


def with_ranks(panel: Panel) -> Panel:
    """Pathology is experimental; nothing is valid before one year, tuberculosis not before 18."""
    rank = Rank.EXPERIMENTAL if panel.name == "pathology" else Rank.VALIDATED
    return replace(
        panel,
        labels=tuple(
            replace(label, rank=rank, weak=False, prevalence=0.05) for label in panel.labels
        ),
        operating_points=tuple(
            replace(point, sensitivity=0.9, specificity=0.9) for point in panel.operating_points
        ),
        scope=Scope(minimum_age=18 if panel.name == "tuberculosis" else 1),
    )


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if path is None:
        missing = "Chromium is not installed: `make services` installs it"
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail(missing)
        pytest.skip(missing)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def page(hilum, chromium) -> Iterator[Page]:
    """A fresh browser profile; whatever the policy forbids or a script throws fails the test."""
    yield from opened_page(chromium, hilum)


@pytest.fixture
def page_of_shipped(shipped, chromium) -> Iterator[Page]:
    """The same, on the shipped models."""
    yield from opened_page(chromium, shipped)


@pytest.fixture
def page_of_ranked(ranked, chromium) -> Iterator[Page]:
    """The same, on the networks with ranks and scopes."""
    yield from opened_page(chromium, ranked)


def opened_page(chromium: Browser, hilum: EmbeddedStack) -> Iterator[Page]:
    context = chromium.new_context(base_url=hilum.url, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "console",
        lambda message: complaints.append(message.text) if _serious(message.text) else None,
    )
    yield opened
    context.close()
    assert complaints == []


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    """A real film where there is one, otherwise the phantom."""
    folder = Path(os.environ.get("HILUM_CXR_DIR") or DEFAULT_CXR_FOLDER)
    return Path(choose_films([], folder, tmp_path_factory.mktemp("film"))[0])


def _serious(complaint: str) -> bool:
    return "Content Security Policy" in complaint or "Uncaught" in complaint

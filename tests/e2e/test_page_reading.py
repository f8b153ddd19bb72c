"""A person, a browser and a whole Hilum: sign in, send a film, watch it being read, look at it."""

from __future__ import annotations

import base64
import io
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from hilum.imaging.phantom import phantom_png
from hilum_stack.embedded import EmbeddedStack
from hilum_stack.films import choose_films
from hilum_stack.paths import DEFAULT_CXR_FOLDER
from tests.servers import run_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator

pytestmark = pytest.mark.browser

PATIENCE_MS = 120_000
"""Long enough for a machine that does much else; nothing here waits this long by design."""

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# Without its slow fallback a page learns of changes from the event stream or not at all.
WITHOUT_FALLBACK = """
const setTimeout = window.setTimeout;
window.setTimeout = (act, delay, ...rest) => delay >= 10000 ? 0 : setTimeout(act, delay, ...rest);
"""
HASTY_FALLBACK = """
const setTimeout = window.setTimeout;
window.setTimeout = (act, delay, ...rest) => setTimeout(act, delay >= 10000 ? 500 : delay, ...rest);
"""


@pytest.fixture(scope="module")
def hilum() -> Iterator[EmbeddedStack]:
    with run_folder() as folder, EmbeddedStack(folder / "hilum") as stack:
        yield stack


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


def api(hilum: EmbeddedStack, path: str) -> dict:
    """An answer of the API, to compare the page with."""
    headers = {"Authorization": f"Bearer {hilum.api_key}"}
    answer = httpx.get(hilum.url + path, headers=headers)
    answer.raise_for_status()
    return answer.json()


def new_key(hilum: EmbeddedStack, role: str) -> str:
    answer = httpx.post(
        f"{hilum.url}/v1/keys",
        headers={"Authorization": f"Bearer {hilum.api_key}"},
        json={"name": role, "role": role},
    )
    answer.raise_for_status()
    return answer.json()["key"]


def sign_in(page: Page, key: str) -> None:
    page.goto("/")
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()


def send_films(page: Page, *films: Path | dict) -> None:
    page.get_by_label("Choose films").set_input_files(list(films))
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".submitted li")).to_have_count(len(films))


def row(page: Page, name: str, state: str) -> Locator:
    return page.locator(f'tr[data-state="{state}"]', has_text=name)


def phantom(name: str, seed: int) -> dict:
    """A film of nobody, as a browser would send it."""
    return {"name": name, "mimeType": "image/png", "buffer": phantom_png(512, 512, seed)}


def seen(place: Locator) -> np.ndarray:
    """What a person sees there: int16 [H, W, 3]."""
    picture = Image.open(io.BytesIO(place.screenshot())).convert("RGB")
    return np.asarray(picture, dtype=np.int16)


def coloured(pixels: np.ndarray) -> float:
    """The share of pixels that are not grey."""
    return float((np.ptp(pixels, axis=2) > 12).mean())


def test_a_film_is_sent_read_live_and_shown_with_its_findings(hilum, page, film):
    """From a wrong key to a heatmap: the way of one film, without reloading the worklist."""
    page.add_init_script(WITHOUT_FALLBACK)
    sign_in(page, "hilum_000000000000.wrong")
    expect(page.locator("#message")).to_contain_text("This key is unknown or was revoked")
    sign_in(page, hilum.api_key)
    expect(page.get_by_text("No film has been sent yet.")).to_be_visible()

    page.evaluate("window.notReloaded = true")
    page.get_by_label("Stat, read at once").check()
    send_films(page, film)
    expect(row(page, film.name, "completed")).to_be_visible(timeout=PATIENCE_MS)
    assert page.evaluate("window.notReloaded")
    expect(row(page, film.name, "completed")).to_contain_text("Stat")

    page.get_by_role("link", name=film.name).last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(film.name)
    expect(page.get_by_text("Research use only, not for diagnosis")).to_be_visible()
    job_id = page.url.rpartition("/")[2]
    job = api(hilum, f"/v1/jobs/{job_id}")
    for panel in job["result"]["panels"]:
        expect(page.get_by_text(f"Model {panel['model']} {panel['version']}")).to_be_visible()
        for finding in panel["findings"]:
            cells = page.locator(f'tr[data-label="{finding["label"]}"]')
            expect(cells.locator(".number")).to_have_text(f"{finding['probability']:.3f}")
            expect(cells.locator(".operating-point")).to_contain_text(
                f"{finding['operating_point']:.3f}"
            )
            verdict = "Positive" if finding["positive"] else "Negative"
            expect(cells.locator(".verdict")).to_have_text(verdict)
    look_at_a_heatmap(page, job["result"]["panels"][0]["findings"])


def look_at_a_heatmap(page: Page, findings: list[dict]) -> None:
    """Switch a heatmap on, fade it out, switch it off; the film shows each."""
    strongest = max(findings, key=lambda finding: finding["probability"])
    box = page.locator(".light-box")
    page.wait_for_load_state("networkidle")
    alone = seen(box)
    assert alone.std() > 10  # the film itself is there
    page.locator(f'tr[data-label="{strongest["label"]}"]').get_by_label("Heatmap of").check()
    overlay = page.locator("#heatmap-image")
    expect(overlay).to_have_js_property("complete", True)
    assert overlay.evaluate("image => image.naturalWidth") > 0
    assert overlay.evaluate("image => image.getBoundingClientRect().toJSON()") == page.locator(
        "#film-image"
    ).evaluate("image => image.getBoundingClientRect().toJSON()")
    with_heatmap = seen(box)
    assert coloured(with_heatmap) > coloured(alone) + 0.005
    assert np.abs(with_heatmap - alone).max() > 30
    assert f"heatmap=pneumonia%2F{strongest['label']}" in page.url

    opacity = page.get_by_label("Heatmap opacity")
    opacity.focus()
    page.keyboard.press("Home")
    expect(opacity).to_have_value("0")
    assert np.array_equal(seen(box), alone)
    page.keyboard.press("End")
    assert np.abs(seen(box) - alone).mean() > np.abs(with_heatmap - alone).mean()
    page.get_by_label("No heatmap").check()
    expect(overlay).to_be_hidden()
    assert np.array_equal(seen(box), alone)


def test_a_worklist_without_its_event_stream_asks_by_itself(hilum, page):
    """Behind a proxy that holds events back, the list still becomes fresh."""
    page.add_init_script(HASTY_FALLBACK)
    page.route("**/worklist/events", lambda route: route.abort())
    sign_in(page, hilum.api_key)
    send_films(page, phantom("phantom-polled.png", 5))
    expect(row(page, "phantom-polled.png", "completed")).to_be_visible(timeout=PATIENCE_MS)


def test_films_that_are_dropped_are_sent_together(hilum, page):
    """Dropping two films chooses them; sending them gives each a row, and the button waits."""
    sign_in(page, hilum.api_key)
    send = page.get_by_role("button", name="Send")
    expect(send).to_be_disabled()
    films = [base64.b64encode(phantom("", seed)["buffer"]).decode() for seed in (11, 12)]
    dropped = page.evaluate_handle(
        """films => {
            const dropped = new DataTransfer();
            films.forEach((text, at) => dropped.items.add(new File(
                [Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))],
                `dropped-${at}.png`, {type: "image/png"})));
            return dropped;
        }""",
        films,
    )
    page.dispatch_event("#drop-zone", "drop", {"dataTransfer": dropped})
    expect(page.locator("#chosen")).to_have_text("dropped-0.png, dropped-1.png")
    expect(send).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="All 2 films were accepted")).to_be_visible()
    for name in ("dropped-0.png", "dropped-1.png"):
        expect(row(page, name, "completed")).to_be_visible(timeout=PATIENCE_MS)
    expect(send).to_be_disabled()


def test_a_film_that_cannot_be_read_says_why(hilum, page):
    """A file that is no film is refused at once; one that breaks off is rejected with advice."""
    sign_in(page, hilum.api_key)
    whole = phantom("phantom-broken.png", 7)
    broken = {**whole, "buffer": whole["buffer"][:-2000]}
    notes = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no film"}
    send_films(page, notes, broken)
    expect(page.locator(".submitted")).to_contain_text("notes.txt refused")
    page.locator("#filter-rejected").click()
    rejected = row(page, "phantom-broken.png", "rejected")
    expect(rejected).to_be_visible(timeout=PATIENCE_MS)
    rejected.get_by_role("link").click()
    expect(page.get_by_role("heading", name="This film was rejected")).to_be_visible()
    expect(page.locator(".reason")).to_contain_text("send the new file")


def test_a_viewer_looks_and_sends_nothing_and_can_sign_out(hilum, page):
    """A viewer sees the worklist without a form; after signing out, nothing."""
    sign_in(page, new_key(hilum, "viewer"))
    expect(page.get_by_role("heading", name="Worklist")).to_be_visible()
    expect(page.locator("#upload")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/sign-in$"))
    page.goto("/")
    expect(page.get_by_label("API key")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1024, 1440, 1920])
def test_no_page_is_wider_than_its_screen(hilum, page, width, scheme):
    """On a phone and on a desk, in light and in dark, nobody has to scroll sideways."""
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    sign_in(page, hilum.api_key)
    name = "phantom-with-a-long-name-as-some-archives-give-them-0123456789_0123456789.png"
    send_films(page, phantom(name, 13))
    expect(row(page, name, "completed")).to_be_visible(timeout=PATIENCE_MS)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    row(page, name, "completed").get_by_role("link").click()
    expect(page.locator("#film-image")).to_be_visible()
    page.locator(".show input").first.check()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator(".card").evaluate_all(
        "cards => cards.every(card => card.scrollWidth <= card.clientWidth)"
    )
    dark = page.evaluate("getComputedStyle(document.body).color") == "rgb(231, 234, 238)"
    assert dark is (scheme == "dark")

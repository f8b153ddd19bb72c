"""A person, a browser and a whole Hilum: sign in, send a film, watch it being read, look at it.

The networks are small and judge a film by its greys (``tests.grey_networks``), so that what they
say of it is known beforehand.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.e2e.browsing import (
    PATIENCE_MS,
    agrees_with_the_api,
    api,
    coloured,
    edges,
    new_key,
    phantom,
    row,
    seen,
    send_films,
    sign_in,
    striped,
    white,
)
from tests.grey_networks import PANELS

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

# Without its slow fallback a page learns of changes from the event stream or not at all.
WITHOUT_FALLBACK = """
const setTimeout = window.setTimeout;
window.setTimeout = (act, delay, ...rest) => delay >= 10000 ? 0 : setTimeout(act, delay, ...rest);
"""
HASTY_FALLBACK = """
const setTimeout = window.setTimeout;
window.setTimeout = (act, delay, ...rest) => setTimeout(act, delay >= 10000 ? 500 : delay, ...rest);
"""


def test_a_film_is_sent_read_live_and_shown_with_its_findings(hilum, page):
    """From a wrong key to a heatmap: the way of one film, without reloading the worklist."""
    page.add_init_script(WITHOUT_FALLBACK)
    sign_in(page, "hilum_000000000000.wrong")
    expect(page.locator("#message")).to_contain_text("This key is unknown or was revoked")
    sign_in(page, hilum.api_key)
    expect(page.get_by_text("No image has been sent yet.")).to_be_visible()

    page.evaluate("window.notReloaded = true")
    page.get_by_label("Stat, analysed first").check()
    send_films(page, striped("striped.png"))
    done = row(page, "striped.png", "completed")
    expect(done).to_be_visible(timeout=PATIENCE_MS)
    assert page.evaluate("window.notReloaded")
    expect(done).to_contain_text("Stat")
    expect(done.locator(".chip").first).to_contain_text("finding 01")

    page.get_by_role("link", name="striped.png").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("striped.png")
    expect(page.get_by_text("Research use only, not for diagnosis").first).to_be_visible()
    job = api(hilum, f"/v1/jobs/{page.url.rpartition('/')[2]}")
    assert {panel["panel"] for panel in job["result"]["panels"]} == set(PANELS)
    agrees_with_the_api(page, job)
    look_at_a_heatmap(page, job["result"])
    look_at_boxes_and_outlines(page)


def look_at_a_heatmap(page: Page, result: dict) -> None:
    """Switch a heatmap on, fade it out, switch it off; the film shows each."""
    panel, label = next(
        (panel["panel"], finding["label"])
        for panel in result["panels"]
        for finding in panel["findings"]
        if finding["heatmap"]
    )
    box = page.locator(".light-box")
    page.wait_for_load_state("networkidle")
    hold_still(page)
    alone = seen(box)
    assert alone.std() > 10  # the film itself is there
    page.locator(f'input[name="heatmap"][value="{panel}/{label}"]').check()
    overlay = page.locator("#heatmap-image")
    expect(overlay).to_have_js_property("complete", True)
    assert overlay.evaluate("image => image.naturalWidth") > 0
    assert edges(overlay) == edges(page.locator("#film-image"))
    with_heatmap = seen(box)
    assert coloured(with_heatmap) > coloured(alone) + 0.005
    assert np.abs(with_heatmap - alone).max() > 30
    assert f"heatmap={panel}%2F{label}" in page.url

    opacity = page.get_by_label("Opacity")
    opacity.focus()
    page.keyboard.press("Home")
    expect(opacity).to_have_value("0")
    assert np.array_equal(seen(box), alone)
    page.keyboard.press("End")
    assert np.abs(seen(box) - alone).mean() > np.abs(with_heatmap - alone).mean()
    page.get_by_label("None", exact=True).check()
    expect(overlay).to_be_hidden()
    assert np.array_equal(seen(box), alone)


def hold_still(page: Page) -> None:
    """Scroll until the image sticks to the window, so that no control scrolls it."""
    page.evaluate("window.scrollTo(0, 600)")
    page.wait_for_function("document.querySelector('.viewer').getBoundingClientRect().top === 8")


def look_at_boxes_and_outlines(page: Page) -> None:
    """Switch lines on and off by keyboard; the address keeps them and leads to them."""
    box = page.locator(".light-box")
    alone = seen(box)
    page.get_by_role("checkbox", name="Boxes").focus()
    page.keyboard.press("Space")
    expect(page.locator("#boxes")).to_be_visible()
    assert edges(page.locator("#boxes")) == edges(page.locator("#film-image"))
    with_boxes = seen(box)
    assert coloured(with_boxes) > coloured(alone) + 0.001
    legend = page.locator("#legend li:visible")
    drawn = page.locator("#boxes g[data-finding]")
    expect(legend).to_have_count(drawn.count())

    outlines = page.locator("#outlines-lungs")
    page.get_by_role("checkbox", name="Lungs").focus()
    page.keyboard.press("Space")
    expect(outlines).to_have_js_property("complete", True)
    expect(outlines).to_be_visible()
    assert edges(outlines) == edges(page.locator("#film-image"))
    with_both = seen(box)
    assert coloured(with_both) > coloured(with_boxes) + 0.001
    assert page.url.endswith("?boxes=1&outlines=lungs")

    page.goto(page.url)
    page.wait_for_load_state("networkidle")
    hold_still(page)
    assert np.array_equal(seen(page.locator(".light-box")), with_both)
    page.get_by_role("checkbox", name="Boxes").uncheck()
    page.get_by_role("checkbox", name="Lungs").uncheck()
    assert np.array_equal(seen(box), alone)


def test_a_film_that_the_gate_stops_is_shown_with_the_reason(hilum, page):
    """The film, what it looks like, and what to do; no finding."""
    sign_in(page, hilum.api_key)
    send_films(page, white("white.png"))
    rejected = row(page, "white.png", "rejected")
    expect(rejected).to_be_visible(timeout=PATIENCE_MS)
    expect(rejected).to_contain_text("Not a frontal chest image")
    rejected.get_by_role("link").click()
    expect(page.get_by_text("Rejected by the gate")).to_be_visible()
    expect(page.locator("#gate")).to_contain_text("not chest")
    film = page.locator("#film-image")
    expect(film).to_have_js_property("complete", True)
    assert film.evaluate("image => image.naturalWidth") > 0
    expect(page.locator(".findings-table")).to_have_count(0)


def test_the_models_are_shown_with_their_cards(hilum, page):
    """Each version, which of them reads, and its card unfolded by keyboard."""
    sign_in(page, hilum.api_key)
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Models")
    expect(page.locator(".model")).to_have_count(3)
    chest = page.locator('[id="chest-1.0.0"]')
    expect(chest).to_contain_text("active for default")
    expect(chest).to_contain_text("Made of greys.")
    card = chest.locator(".model-card")
    expect(card).to_be_hidden()
    chest.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(card).to_contain_text("Research use only.")


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
    expect(page.get_by_role("heading", name="All 2 images were accepted")).to_be_visible()
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
    expect(page.get_by_role("heading", name="This image was rejected")).to_be_visible()
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
    send_films(page, striped(name, 13))
    expect(row(page, name, "completed")).to_be_visible(timeout=PATIENCE_MS)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    row(page, name, "completed").get_by_role("link").click()
    expect(page.locator("#film-image")).to_be_visible()
    page.locator('input[name="heatmap"]:not([value=""])').first.check()
    page.get_by_role("checkbox", name="Boxes").check()
    page.get_by_role("checkbox", name="Lungs").check()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator(".card").evaluate_all(
        "cards => cards.every(card => card.scrollWidth <= card.clientWidth)"
    )
    page.goto("/models")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    dark = page.evaluate("getComputedStyle(document.body).color") == "rgb(231, 234, 238)"
    assert dark is (scheme == "dark")

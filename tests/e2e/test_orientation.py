"""A person looks at an image that was stored mirrored, with pixels that are not square."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.e2e.browsing import PATIENCE_MS, api, edges, graded, row, seen, send_films, sign_in
from tests.unit.adapters.dicom.films import dataset, file_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from hilum_stack.embedded import EmbeddedStack

pytestmark = pytest.mark.browser

SIDE = 512


def sent(page: Page, stack: EmbeddedStack, name: str, pixels: np.ndarray, **header: object) -> dict:
    """Send a DICOM file from the worklist, open its page, and give its job."""
    uid = f"2.25.{int.from_bytes(name.encode()[:12])}"
    content = file_of(dataset(pixels, bits=8, SOPInstanceUID=uid, **header))
    send_films(page, {"name": name, "mimeType": "application/dicom", "buffer": content})
    done = row(page, name, "completed")
    expect(done).to_be_visible(timeout=PATIENCE_MS)
    done.get_by_role("link").first.click()
    expect(page.locator("#film-image")).to_be_visible()
    page.wait_for_load_state("networkidle")
    return api(stack, f"/v1/jobs/{page.url.rpartition('/')[2]}")


def one_sided() -> np.ndarray:
    """Much is found in it, and it is brighter on the right."""
    share = np.linspace(0.5, 1.0, SIDE)
    return (graded((250, 60)) * share).astype(np.uint8)


def test_a_mirrored_image_is_displayed_with_the_left_on_the_right(hilum, page):
    """The page says that it was mirrored, and boxes lie on the same side as without."""
    sign_in(page, hilum.api_key)
    plain = sent(page, hilum, "plain-sides.dcm", one_sided())
    shown = seen(page.locator("#film-image")).mean(axis=2)
    half = shown.shape[1] // 2
    assert shown[:, half:].mean() > shown[:, :half].mean() + 10
    expect(page.locator("[data-note]")).to_have_count(0)

    page.goto("/")
    job = sent(page, hilum, "mirrored.dcm", one_sided()[:, ::-1], PatientOrientation=["R", "F"])
    page.goto("/")
    marked = row(page, "mirrored.dcm", "completed").locator(".note-mark")
    expect(marked).to_have_text("Note: mirrored")
    expect(row(page, "plain-sides.dcm", "completed").locator(".note-mark")).to_have_count(0)
    page.go_back()
    note = page.locator('[data-note="image_mirrored"]')
    expect(note).to_contain_text("The image was mirrored before analysis")
    mirrored = seen(page.locator("#film-image")).mean(axis=2)
    assert np.abs(mirrored - shown).mean() < 2
    page.locator('input[name="boxes"]').check()
    drawn = page.locator("#boxes rect:not(.halo)")
    box = next(
        finding["boxes"][0]
        for panel in job["result"]["panels"]
        for finding in panel["findings"]
        if finding["boxes"]
    )
    image, first = edges(page.locator("#film-image")), edges(drawn.first)
    scale = min(image["width"], image["height"]) / SIDE
    right = image["x"] + (image["width"] + SIDE * scale) / 2
    assert first["x"] == pytest.approx(right - (box["x"] + box["width"]) * scale, abs=4)
    assert [p["findings"][0]["probability"] for p in job["result"]["panels"]] == [
        p["findings"][0]["probability"] for p in plain["result"]["panels"]
    ]


def test_pixels_twice_as_wide_as_high_are_displayed_so(hilum, page):
    """The picture has the proportions that the header states."""
    sign_in(page, hilum.api_key)
    sent(page, hilum, "wide-pixels.dcm", one_sided()[:, ::2], PixelSpacing=[0.2, 0.4])
    size = page.locator("#film-image").evaluate(
        "image => [image.naturalWidth, image.naturalHeight]"
    )
    assert size == [SIDE, SIDE]
    expect(page.locator('[data-note="aspect_corrected"]')).to_be_visible()
    assert page.locator("#boxes").get_attribute("viewBox") == f"0 0 {SIDE} {SIDE}"

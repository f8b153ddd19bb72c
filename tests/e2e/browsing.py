"""What people do with Hilum's pages, and what they see."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import httpx
import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from hilum.imaging.phantom import phantom_png

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator

    from hilum_stack.embedded import EmbeddedStack

PATIENCE_MS = 120_000
"""Long enough for a machine that does much else; nothing here waits this long by design."""


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


def striped(name: str, seed: int = 3) -> dict:
    """A film that the grey networks find much in: bright above, dark below and at its sides."""
    ramp = np.linspace(250, 60, 512)[:, np.newaxis]
    sides = np.abs(np.linspace(-1, 1, 512)) ** 3
    noise = np.random.default_rng(seed).integers(0, 5, (512, 512))
    grey = ramp * np.clip(1.15 - 1.2 * sides, 0, 1) + noise
    return _png(name, np.clip(grey, 0, 255).astype(np.uint8))


def white(name: str) -> dict:
    """A picture that the grey networks' gate takes for no chest."""
    grey = np.random.default_rng(4).integers(246, 254, (512, 512), dtype=np.uint8)
    return _png(name, grey)


def _png(name: str, pixels: np.ndarray) -> dict:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": file.getvalue()}


def edges(place: Locator) -> dict:
    """Where it stands in the window."""
    found: dict = place.evaluate("place => place.getBoundingClientRect().toJSON()")
    return found


def seen(place: Locator) -> np.ndarray:
    """What a person sees there: int16 [H, W, 3]."""
    picture = Image.open(io.BytesIO(place.screenshot())).convert("RGB")
    return np.asarray(picture, dtype=np.int16)


def coloured(pixels: np.ndarray) -> float:
    """The share of pixels that are not grey."""
    return float((np.ptp(pixels, axis=2) > 12).mean())


def agrees_with_the_api(page: Page, job: dict) -> None:
    """Gate, panels and lungs stand on the page as the API gives them."""
    expect(page.locator("#gate")).to_contain_text("Let through by the gate")
    for score in job["gate"]["scores"]:
        cell = page.locator(f'#gate tr[data-label="{score["label"]}"] td')
        expect(cell).to_have_text(f"{score['probability']:.3f}")
    for panel in job["result"]["panels"]:
        card = page.locator(".panel", has=page.locator(f"#panel-{panel['panel']}"))
        expect(card).to_contain_text(f"Model {panel['model']} {panel['version']}")
        expect(card).to_contain_text(panel["caution"])
        found = any(item["positive"] and item["abnormal"] for item in panel["findings"])
        folded = len(panel["findings"]) > 5 and not found
        expect(card.locator(".findings-table")).to_be_visible(visible=not folded)
        for finding in panel["findings"]:
            cells = card.locator(f'tr[data-label="{finding["label"]}"]')
            expect(cells.locator(".number")).to_have_text(f"{finding['probability']:.3f}")
            expect(cells.locator(".operating-point")).to_contain_text(
                f"{finding['operating_point']:.3f}"
            )
            verdict = "Positive" if finding["positive"] else "Negative"
            expect(cells.locator(".verdict")).to_have_text(verdict)
            said = cells.locator(".weak") if finding["positive"] else card.locator(".weak")
            if finding["weak"]:
                expect(said.first).to_contain_text("weak evidence")
    for reading in job["result"]["structures"]:
        ratio = reading["cardiothoracic_ratio"]
        words = "Not measured" if ratio["value"] is None else f"{ratio['value']:.2f}"
        expect(page.locator(".ratio b")).to_have_text(words)
        for structure in reading["structures"]:
            share = page.locator(f'.structures tr[data-label="{structure["label"]}"] td')
            drawn = f"{100 * structure['area_share']:.1f} %" if structure["outlines"] else "\u2013"
            expect(share).to_have_text(drawn)

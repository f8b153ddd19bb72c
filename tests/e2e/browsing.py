"""What people do with Hilum's pages, and what they see."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import httpx
import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from hilum.imaging.phantom import phantom_png
from tests.unit.adapters.dicom.films import dataset, file_of

if TYPE_CHECKING:
    from collections.abc import Sequence
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
    page.get_by_label("Choose images").set_input_files(list(films))
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".submitted li")).to_have_count(len(films))


def row(page: Page, name: str, state: str) -> Locator:
    return page.locator(f'tr[data-state="{state}"]', has_text=name)


def phantom(name: str, seed: int) -> dict:
    """A film of nobody, as a browser would send it."""
    return {"name": name, "mimeType": "image/png", "buffer": phantom_png(512, 512, seed)}


def striped(name: str, seed: int = 3) -> dict:
    """An image that the grey networks find much in: bright above, dark below and at its sides."""
    return _png(name, graded((250, 60), seed))


def graded(levels: Sequence[int], seed: int = 3) -> np.ndarray:
    """Draw an image whose brightness runs through these levels from above, dark at its sides."""
    places = np.linspace(0, 1, len(levels))
    ramp = np.interp(np.linspace(0, 1, 512), places, levels)[:, np.newaxis]
    sides = np.abs(np.linspace(-1, 1, 512)) ** 3
    noise = np.random.default_rng(seed).integers(0, 5, (512, 512))
    grey = ramp * np.clip(1.15 - 1.2 * sides, 0, 1) + noise
    return np.clip(grey, 0, 255).astype(np.uint8)


def dicom(name: str, pixels: np.ndarray, age: str) -> dict:
    """A DICOM file that states the patient's age, as a browser would send it."""
    attributes = {"PatientAge": age, "SOPInstanceUID": f"2.25.{int.from_bytes(name.encode()[:12])}"}
    content = file_of(dataset(pixels, bits=8, **attributes))
    return {"name": name, "mimeType": "application/dicom", "buffer": content}


def white(name: str) -> dict:
    """An image that the grey networks' gate takes for no chest."""
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


VERDICTS = {"positive": "Positive", "negative": "Negative", "not_assessed": "Not assessed"}
WORDS = {"no_finding": "No finding", "undetermined": "Undetermined"}


def agrees_with_the_api(page: Page, job: dict) -> None:
    """Gate, impression, panels and lungs stand on the page as the API gives them."""
    expect(page.locator("#gate")).to_contain_text("Accepted by the gate")
    for score in job["gate"]["scores"]:
        cell = page.locator(f'#gate tr[data-label="{score["label"]}"] td')
        expect(cell).to_have_text(f"{score['probability']:.3f}")
    impression = job["result"]["impression"]
    said = page.locator("#impression")
    for found in impression["findings"]:
        expect(said.locator("li", has_text=found["display"]).first).to_contain_text(
            f"{found['probability']:.2f}"
        )
    expect(said.locator("li")).to_have_count(len(impression["findings"]))
    expect(said.locator("h2")).to_contain_text(WORDS.get(impression["kind"], "Finding"))
    for panel in job["result"]["panels"]:
        panel_agrees(page, panel)
    for reading in job["result"]["structures"]:
        ratio = reading["cardiothoracic_ratio"]
        words = "Not measured" if ratio["value"] is None else f"{ratio['value']:.2f}"
        expect(page.locator(".ratio b")).to_have_text(words)
        for structure in reading["structures"]:
            share = page.locator(f'.structures tr[data-label="{structure["label"]}"] td')
            drawn = f"{100 * structure['area_share']:.1f} %" if structure["outlines"] else "\u2013"
            expect(share).to_have_text(drawn)


def panel_agrees(page: Page, panel: dict) -> None:
    """A panel's findings stand on the page with score and verdict; others only in a fold."""
    card = page.locator(".panel", has=page.locator(f"#panel-{panel['panel']}"))
    expect(card).to_contain_text(f"Model {panel['model']} {panel['version']}")
    expect(card).to_contain_text(panel["caution"])
    expect(card).to_contain_text(panel["scope_reason_text"])
    shown = [item for item in panel["findings"] if item["rank"] != "not_shown"]
    folded = [item for item in shown if is_folded(item)]
    expect(card.locator(".experimental tr[data-label]")).to_have_count(len(folded))
    expect(card.locator("tr[data-label]")).to_have_count(len(shown))
    found = any(item["positive"] and item["abnormal"] for item in shown)
    closed = len(shown) - len(folded) > 5 and not found
    for finding in shown:
        cells = card.locator(f'tr[data-label="{finding["label"]}"]')
        expect(cells).to_be_visible(visible=not (closed or is_folded(finding)))
        expect(cells.locator(".number")).to_have_text(f"{finding['probability']:.3f}")
        expect(cells.locator(".verdict")).to_have_text(VERDICTS[finding["assessment"]])
        assessed = finding["assessment"] != "not_assessed"
        point = f"{finding['operating_point']:.3f}" if assessed else ""
        expect(cells.locator(".operating-point")).to_contain_text(point)
        if finding["weak"] and finding["rank"] == "validated":
            marks = cells.locator(".weak") if finding["positive"] else card.locator(".weak")
            expect(marks.first).to_contain_text("weak evidence")


def is_folded(finding: dict) -> bool:
    """Whether the page folds a finding away."""
    return finding["rank"] == "experimental" and finding["assessment"] == "not_assessed"

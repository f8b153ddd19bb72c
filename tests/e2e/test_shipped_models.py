"""A person looks at a film that the shipped models have read."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from hilum_stack.paths import DEFAULT_CXR_FOLDER
from tests.e2e.browsing import PATIENCE_MS, agrees_with_the_api, api, row, send_films, sign_in

pytestmark = pytest.mark.browser


def test_the_shipped_models_read_a_film(shipped, page_of_shipped, film):
    """Every panel on a real film where there is one; a phantom may be stopped at the gate."""
    page = page_of_shipped
    sign_in(page, shipped.api_key)
    send_films(page, film)
    settled = page.locator(
        'tr[data-state="completed"], tr[data-state="rejected"], tr[data-state="failed"]'
    )
    expect(settled).to_be_visible(timeout=PATIENCE_MS)
    settled.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(film.name)
    job = api(shipped, f"/v1/jobs/{page.url.rpartition('/')[2]}")
    if job["state"] == "rejected" and "phantom" in film.name:
        expect(page.locator("#gate")).to_contain_text("Rejected by the gate")
    else:
        assert job["state"] == "completed", job["reason"]
        agrees_with_the_api(page, job)
    page.get_by_role("link", name="Models").click()
    for model in api(shipped, "/v1/models")["models"]:
        sheet = page.locator(f'[id="{model["model"]}-{model["version"]}"]')
        expect(sheet).to_contain_text("active for default")
        sheet.get_by_text("Model card", exact=True).click()
        expect(sheet.locator(".model-card")).to_contain_text("Research use only")


def of_the_pack(source: str, label: str) -> Path:
    """An image of a film pack; skips where there is none."""
    folder = Path(os.environ.get("HILUM_CXR_DIR") or DEFAULT_CXR_FOLDER)
    if not (folder / "manifest.csv").is_file():
        pytest.skip(f"no film pack in {folder} (set HILUM_CXR_DIR)")
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        rows = [
            row
            for row in csv.DictReader(stream)
            if (row["source"], row["normalised_label"]) == (source, label)
        ]
    return folder / rows[len(rows) // 2]["file"]


@pytest.mark.parametrize(
    ("source", "label", "title", "words"),
    [
        ("kermany_native", "normal", "No finding", "Not assessed: tuberculosis"),
        ("kermany_native", "pneumonia_bacterial", "Finding", "Infected"),
        ("shenzhen", "normal", "No finding", "Looked for: infected, tuberculosis"),
        ("shenzhen", "tuberculosis", "Finding", "Tuberculosis"),
    ],
)
def test_the_page_of_a_real_image_says_first_what_was_found(
    shipped, page_of_shipped, source, label, title, words
):
    """The healthy have no finding, the ill have one, and a child has no verdict on tuberculosis."""
    page, image = page_of_shipped, of_the_pack(source, label)
    sign_in(page, shipped.api_key)
    send_films(page, image)
    done = row(page, image.name, "completed")
    expect(done).to_be_visible(timeout=PATIENCE_MS)
    done.get_by_role("link").first.click()
    said = page.locator("#impression")
    expect(said.locator("h2")).to_contain_text(title)
    expect(said).to_contain_text(words)
    expect(said).to_contain_text("Research use only, not for diagnosis")
    agrees_with_the_api(page, api(shipped, f"/v1/jobs/{page.url.rpartition('/')[2]}"))

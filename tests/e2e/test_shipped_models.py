"""A person looks at a film that the shipped models have read."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.browsing import PATIENCE_MS, agrees_with_the_api, api, send_films, sign_in

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

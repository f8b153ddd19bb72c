"""A person looks at what is said first of an image: nothing found, a finding, no verdict.

The networks judge an image by its greys (``tests.grey_networks``): one that is bright above is
normal to them, one that is bright below is not. Ranks and scopes are those of ``with_ranks``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.browsing import (
    PATIENCE_MS,
    agrees_with_the_api,
    api,
    coloured,
    dicom,
    graded,
    row,
    seen,
    send_films,
    sign_in,
)

if TYPE_CHECKING:
    import numpy as np
    from playwright.sync_api import Locator, Page

    from hilum_stack.embedded import EmbeddedStack

pytestmark = pytest.mark.browser

HEALTHY = (250, 240, 60, 60, 60, 60)
ILL = (40, 40, 40, 40, 40, 250, 250)


def opened(page: Page, stack: EmbeddedStack, name: str, pixels: np.ndarray, age: str) -> Locator:
    """Send an image and open its page; its row in the worklist was looked at before."""
    sign_in(page, stack.api_key)
    send_films(page, dicom(name, pixels, age))
    done = row(page, name, "completed")
    expect(done).to_be_visible(timeout=PATIENCE_MS)
    return done


def look(page: Page, stack: EmbeddedStack, done: Locator) -> Locator:
    """Open the page of a row, compare it with the API; the impression."""
    done.get_by_role("link").first.click()
    said = page.locator("#impression")
    expect(said).to_be_visible()
    agrees_with_the_api(page, api(stack, f"/v1/jobs/{page.url.rpartition('/')[2]}"))
    expect(said).to_contain_text("Research use only, not for diagnosis")
    assert above(said, page.locator(".viewer"))
    page.wait_for_load_state("networkidle")
    assert coloured(seen(page.locator(".light-box"))) == 0
    return said


def above(first: Locator, second: Locator) -> bool:
    """Whether one place ends before the other begins, from above."""
    upper, lower = first.bounding_box(), second.bounding_box()
    assert upper is not None
    assert lower is not None
    return upper["y"] + upper["height"] <= lower["y"]


def ground(place: Locator) -> tuple[int, ...]:
    """The colour of a place's ground: red, green, blue."""
    text: str = place.evaluate("place => getComputedStyle(place).backgroundColor")
    return tuple(int(part) for part in text[text.index("(") + 1 : -1].split(",")[:3])


@pytest.mark.parametrize("width", [1440, 390])
def test_a_healthy_childs_page_says_first_that_nothing_was_found(ranked, page_of_ranked, width):
    """In words and in green, above image and panels, on a desk and on a phone."""
    page = page_of_ranked
    page.set_viewport_size({"width": width, "height": 844})
    name = f"healthy-child-{width}.dcm"
    done = opened(page, ranked, name, graded(HEALTHY, width), "004Y")
    expect(done.locator(".kind")).to_have_text("No finding")
    expect(done.locator(".chip")).to_have_count(0)
    said = look(page, ranked, done)
    expect(said.locator("h2")).to_have_text("No finding")
    expect(said).to_contain_text("Not assessed: tuberculosis (not validated for the patient's age)")
    red, green, blue = ground(said)
    assert green > max(red, blue)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_experimental_labels_are_folded_until_a_reader_opens_them(ranked, page_of_ranked):
    """They carry their scores and no verdict, though one of them is high."""
    page = page_of_ranked
    done = opened(page, ranked, "healthy-folded.dcm", graded(HEALTHY, 5), "006Y")
    look(page, ranked, done)
    card = page.locator(".panel", has=page.locator("#panel-pathology"))
    first = card.locator('tr[data-label="finding_01"]')
    expect(first).to_be_hidden()
    card.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(first).to_be_visible()
    expect(first.locator(".verdict")).to_have_text("Not assessed")
    expect(card.locator(".experimental")).to_contain_text("not switched on at this site")


@pytest.mark.parametrize("width", [1440, 390])
def test_an_ill_patients_page_names_the_finding(ranked, page_of_ranked, width):
    """In words and in red, with what a flag means; a map outside the lungs says so."""
    page = page_of_ranked
    page.set_viewport_size({"width": width, "height": 844})
    name = f"ill-adult-{width}.dcm"
    done = opened(page, ranked, name, graded(ILL, width), "040Y")
    expect(done.locator(".chip").first).to_be_visible()
    said = look(page, ranked, done)
    expect(said.locator("h2")).to_have_text("Findings")
    expect(said.locator("li", has_text="infected")).to_contain_text(
        "If 5 of 100 images show it, 32 of 100 flagged images do."
    )
    red, green, blue = ground(said)
    assert red > max(green, blue)
    expect(
        page.locator(".notes", has_text="outside the lungs: no box is drawn").first
    ).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_an_image_out_of_scope_says_why_there_is_no_verdict(ranked, page_of_ranked):
    """In words and in grey, first and at the head of each panel."""
    page = page_of_ranked
    done = opened(page, ranked, "newborn.dcm", graded(ILL, 9), "010D")
    expect(done.locator(".kind")).to_have_text("Undetermined")
    said = look(page, ranked, done)
    expect(said.locator("h2")).to_have_text("Undetermined")
    expect(said).to_contain_text("Not assessed: not validated for the patient's age.")
    heads = page.locator(".out-of-scope")
    expect(heads).to_have_count(4)
    expect(heads.first).to_contain_text("not validated for the patient's age")
    expect(page.locator(".verdict", has_text="Positive")).to_have_count(0)
    assert max(ground(said)) - min(ground(said)) < 12

"""Every item of the reporting guidelines has a place, or a reason why it has none."""

from __future__ import annotations

import re

import pytest

from hilum_training.evaluation.checklist import checklist, guidelines
from hilum_training.evaluation.report_index import REPORTS

LETTERS = {
    3: "abc",
    5: "ab",
    6: "abc",
    8: "abc",
    9: "abc",
    12: "abcdefg",
    18: "abcdef",
    20: "abc",
    23: "ab",
    27: "abc",
}
TRIPOD = [f"{number}{letter}" for number in range(1, 28) for letter in LETTERS.get(number, ("",))]
CLAIM = [str(number) for number in range(1, 45)]
LINKS = sorted(
    {link for part in guidelines() for item in part["items"] for link in item.get("where", ())}
)


def anchors(text):
    """Anchors of a page's headings, as a forge makes them."""
    titles = re.findall(r"^#{1,6} (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize(("place", "numbers"), [(0, TRIPOD), (1, CLAIM)])
def test_every_item_of_a_guideline_is_there_once(place, numbers):
    """52 items of TRIPOD+AI and 44 of CLAIM, in their order."""
    items = guidelines()[place]["items"]
    assert [item["number"] for item in items] == numbers
    for item in items:
        assert ("where" in item) != ("why" in item), item["number"]


@pytest.mark.parametrize("link", LINKS)
def test_a_link_leads_to_a_heading_that_is_there(link):
    """Of a committed file."""
    path, _, anchor = link.partition("#")
    target = (REPORTS / path).resolve()
    assert target.exists()
    if anchor:
        assert anchor in anchors(target.read_text(encoding="utf-8"))


def test_the_page_links_what_is_reported_and_says_why_the_rest_is_not():
    """A row for each item."""
    page = checklist()
    assert "| 18d | Registration | not reported: not registered |" in page
    assert "[README.md, methods](README.md#methods)" in page
    assert page.count("\n| ") == 52 + 44 + 2 * 2

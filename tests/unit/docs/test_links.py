"""Links between the project's documents."""

from __future__ import annotations

import re

import pytest

from tests.unit.test_structure import ROOT, tracked

# A template gets its links where its page is written.
PAGES = [page for page in tracked("*.md") if not page.name.endswith(".template.md")]


def anchors(text: str) -> set[str]:
    """The anchors that a forge gives to the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page):
    """A link to a file that is not there, or to a heading that it does not have, is found."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"\w+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name) if name else page
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path.read_text(encoding="utf-8")), target


def test_the_index_has_every_page():
    """A page of docs/ to which the index has no link is found. Decisions have one link together."""
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = [page.relative_to(ROOT / "docs").as_posix() for page in tracked("docs/*.md")]
    wanted = [page for page in pages if page != "README.md" and not page.startswith("adr/")]
    assert [page for page in wanted if f"]({page})" not in index] == []
    assert "](adr)" in index

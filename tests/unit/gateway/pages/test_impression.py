"""The impression on the page of an image: what is said first."""

from __future__ import annotations

import re

import pytest

from hilum.domain.model import PanelKind, Rank
from hilum.domain.principal import Role
from tests.fakes.model_catalogue import whole_set
from tests.unit.gateway.pages.browsing import FakeGateway
from tests.unit.gateway.pages.results import (
    a_finding,
    a_panel,
    an_experimental,
    healthy,
    ill,
    out_of_scope,
    stored,
)


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway(models=whole_set())


def page_of(gateway: FakeGateway, address: str, query: str = "") -> str:
    return gateway.person(Role.VIEWER).get(address + query).text


def impression(page: str) -> str:
    """The section of the impression, which no panel and no image precedes."""
    found = re.search(r'<section id="impression".*?</section>', page, re.DOTALL)
    assert found is not None
    assert "film-image" not in page[: found.start()]
    assert "panel" not in page[: found.start()]
    return found[0]


def section(page: str, panel: str) -> str:
    """The card of one panel."""
    return re.search(rf'<section [^>]*"panel-{panel}">.*?</section>', page, re.DOTALL)[0]


def row(page: str, label: str) -> str:
    """The row of a finding with the notes below it."""
    start = rf'<tr role="row" data-panel="\w+" data-label="{label}"'
    return re.search(rf'{start}.*?(?=<tr role="row" data-|</tbody>)', page, re.DOTALL)[0]


def test_a_healthy_childs_page_says_first_that_nothing_was_found(gateway):
    """The words and their colour come first, then what was looked for and what was not."""
    said = impression(page_of(gateway, stored(gateway, healthy())))
    assert 'class="impression impression-no-finding"' in said
    assert '<h2 id="impression-title">No finding</h2>' in said
    assert "Looked for: infected." in said
    assert "Not assessed: tuberculosis (not validated for children" in said
    assert "Research use only, not for diagnosis" in said
    assert "hernia" not in said.lower()


def test_a_healthy_childs_page_has_no_chip_and_no_positive_verdict(gateway):
    """Nothing on the page is marked as a finding."""
    page = page_of(gateway, stored(gateway, healthy()))
    assert 'class="chip"' not in page
    assert not re.search(r'class="positive abnormal', page)
    assert 'id="boxes"' not in page
    assert 'name="heatmap"' not in page


def test_an_ill_patients_page_names_the_findings_surest_first(gateway):
    """Each finding has its probability, its operating point and its panel."""
    said = impression(page_of(gateway, stored(gateway, ill())))
    assert "impression-finding" in said
    assert re.findall(r'class="name">([^<]+)<', said) == ["Tuberculosis", "Effusion"]
    assert re.findall(r'href="#panel-(\w+)"', said) == ["tuberculosis", "pathology"]
    assert re.search(r"0\.92\s*<span class=\"point\">≥ 0\.40<", said)


def test_a_positive_finding_says_what_it_means_at_a_prevalence(gateway):
    """One sentence with the predictive value, in the impression and in the row."""
    page = page_of(gateway, stored(gateway, ill()))
    sentence = "If 5 of 100 images show it, 34 of 100 flagged images do."
    assert sentence in impression(page)
    assert sentence in row(page, "tuberculosis")
    assert "flagged images" not in row(page, "effusion")


def test_an_image_out_of_scope_says_why_there_is_no_verdict(gateway):
    """The impression is undetermined and grey, and each panel says the reason at its head."""
    page = page_of(gateway, stored(gateway, out_of_scope()))
    said = impression(page)
    assert "impression-undetermined" in said
    assert ">Undetermined</h2>" in said
    assert "Not assessed: not validated for children" in said
    for panel in ("infection", "tuberculosis"):
        card = section(page, panel)
        head = card[: card.index("<table")]
        assert re.search(r"<strong>Not assessed:</strong>\s*not validated for children", head)


def test_a_finding_that_is_not_assessed_has_its_score_and_no_verdict(gateway):
    """Neither Positive nor Negative, no operating point and no mark on the bar."""
    text = row(page_of(gateway, stored(gateway, out_of_scope())), "tuberculosis")
    assert 'class="number">0.700<' in text
    assert ">Not assessed</td>" in text
    assert "Positive" not in text
    assert "Negative" not in text
    assert "0.400" not in text
    assert 'class="tick"' not in text


def test_a_label_without_an_operating_point_says_so_in_its_row(gateway):
    """The reason stands in words where the panel is in scope and only the label has none."""
    panel = a_panel(
        "infection",
        a_finding("normal", 0.6),
        a_finding("infected", 0.4, operating_point=None, reason="no_operating_point"),
    )
    page = page_of(gateway, stored(gateway, [panel]))
    assert "Not assessed: no operating point" in row(page, "infected")
    assert "impression-undetermined" in impression(page)


def test_experimental_labels_are_folded_and_have_no_verdict(gateway):
    """They are closed at first, with their scores, without chip, heatmap or headline."""
    card = section(page_of(gateway, stored(gateway, healthy())), "pathology")
    fold = re.search(r'<details class="experimental">.*?</details>', card, re.DOTALL)[0]
    assert "2 experimental labels, no verdict" in fold
    assert "experimental, and not switched on at this site" in fold
    assert fold.count(">Not assessed</td>") == 2
    assert ">Hernia" in " ".join(fold.split()).replace("> ", ">")
    assert card.replace(fold, "").count("<tr") == 0


def test_an_experimental_label_that_a_site_switched_on_is_named_as_experimental(gateway):
    """Its verdict is shown with its rank, in the table and in the impression."""
    on = a_finding("nodule", 0.8, rank=Rank.EXPERIMENTAL)
    page = page_of(gateway, stored(gateway, [a_panel("pathology", on, kind=PanelKind.MULTI_LABEL)]))
    assert '<span class="rank">experimental</span>' in impression(page)
    assert '<span class="rank">experimental</span>' in row(page, "nodule")
    assert "<details class" not in section(page, "pathology")


def test_a_label_that_is_not_shown_is_on_no_page(gateway):
    """Neither on the page of the image nor in the worklist."""
    address = stored(gateway, ill())
    assert "ranuloma" not in page_of(gateway, address)
    assert "ranuloma" not in page_of(gateway, "/")


def test_a_panel_of_labels_that_are_not_shown_has_no_card(gateway):
    """An empty card would only ask what it is for."""
    hidden = a_panel("pathology", a_finding("granuloma", 0.9, rank=Rank.NOT_SHOWN))
    assert "panel-pathology" not in page_of(gateway, stored(gateway, [*healthy()[:1], hidden]))


def test_a_map_outside_the_lungs_says_that_no_box_is_drawn(gateway):
    """The row says it, and so does the note beside the image."""
    page = page_of(gateway, stored(gateway, ill()))
    words = "ost of this map lies outside the lungs: no box is drawn."
    assert words in row(page, "effusion")
    assert words not in row(page, "tuberculosis")
    viewer = re.search(r'<section class="viewer".*?</section>', page, re.DOTALL)[0]
    assert f"Effusion: m{words}" in viewer
    assert re.findall(r'<g data-finding="([\w/]+)"', viewer) == ["tuberculosis/tuberculosis"]


def test_a_result_without_impression_reads_as_it_did(gateway):
    """A result of release 0.2.0 has its chips, its marks of weak evidence and its verdicts."""
    panels = [
        a_panel("infection", a_finding("normal", 0.45), a_finding("infected", 0.55, weak=True))
    ]
    page = page_of(gateway, stored(gateway, panels, with_impression=False))
    assert 'id="impression"' not in page
    assert "At or above the operating point" in page
    assert page.count("weak evidence") > 1
    assert page.count(">Positive</td>") == 2
    assert "so several can be positive" in page


@pytest.mark.parametrize(
    ("panels", "kind", "words"),
    [
        (healthy, "no-finding", "No finding"),
        (out_of_scope, "undetermined", "Undetermined"),
    ],
)
def test_the_worklist_says_the_impression_in_words_and_colour(gateway, panels, kind, words):
    """A row without a finding has the kind of its impression, and the rest of its text."""
    stored(gateway, panels())
    page = page_of(gateway, "/")
    assert f'<span class="kind kind-{kind}">{words}</span>' in page
    assert "not validated for children" in page
    assert 'class="chip"' not in page


def test_the_worklist_names_the_findings_of_the_impression(gateway):
    """Findings are chips with their probability, the surest first."""
    stored(gateway, ill())
    chips = re.findall(r'<span class="chip">([^<]+) <b>([\d.]+)</b>', page_of(gateway, "/"))
    assert chips == [("Tuberculosis", "0.92"), ("Effusion", "0.55")]


def test_the_worklist_shows_a_result_without_impression_as_before(gateway):
    """The row of a result of release 0.2.0 has its chips with the operating point."""
    panels = [a_panel("infection", a_finding("infected", 0.55, weak=True))]
    stored(gateway, panels, with_impression=False)
    page = page_of(gateway, "/")
    assert re.search(r'class="chip">Infected <b>0\.55</b>\s*<span class="point">≥ 0\.40<', page)
    assert "weak evidence" in page


def test_one_experimental_label_is_not_called_labels(gateway):
    """The fold's words agree with their number."""
    panel = a_panel("pathology", an_experimental("mass", 0.2), kind=PanelKind.MULTI_LABEL)
    page = page_of(gateway, stored(gateway, [panel]))
    assert "1 experimental label, no verdict" in page

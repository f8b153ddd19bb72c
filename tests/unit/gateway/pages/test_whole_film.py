"""The page of a film that gate, panels and lungs have read."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from hilum.domain.access import Role
from hilum.domain.model import PanelKind
from tests.fakes.film_reader import graymap
from tests.fakes.model_catalogue import (
    model_of,
    small_chest,
    small_gate,
    small_lungs,
    small_panel,
    whole_set,
)
from tests.unit.gateway.pages.browsing import FakeGateway, film_bytes

WHITE = graymap(np.full((72, 96), 250, np.uint8))
"""A film that the fake's gate takes for no chest."""
FOURTEEN = tuple(f"finding_{number}" for number in range(1, 15))


def sent(gateway: FakeGateway, content: bytes = b"") -> str:
    """Address of a film of the site `north` that went through."""
    files = [("files", ("film.pgm", content or film_bytes()))]
    answer = gateway.person(Role.SUBMITTER, "north").post("/films", files=files)
    gateway.work()
    return re.search(r"/films/[0-9a-f-]{36}", answer.text)[0]


def page_of(gateway: FakeGateway, address: str, query: str = "") -> str:
    return gateway.person(Role.VIEWER).get(address + query).text


def section(page: str, panel: str) -> str:
    """The card of one panel."""
    return re.search(rf'<section [^>]*"panel-{panel}">.*?</section>', page, re.DOTALL)[0]


def tag(page: str, start: str) -> str:
    """The first tag that begins like this, whole."""
    return re.search(rf"{re.escape(start)}[^>]*>", page)[0]


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway(models=whole_set())


@pytest.fixture
def film(gateway) -> str:
    return sent(gateway)


def chest_of_fourteen(threshold: float) -> FakeGateway:
    """A gateway whose chest model has a panel of fourteen findings."""
    panel = small_panel("pathology", FOURTEEN, kind=PanelKind.MULTI_LABEL, threshold=threshold)
    return FakeGateway(models=[small_gate(), model_of("chest", panel), small_lungs()])


def test_the_gates_verdict_stands_with_its_score_and_operating_point(gateway, film):
    """A film that was let through says so, and what the gate saw can be unfolded."""
    page = page_of(gateway, film)
    assert "Let through by the gate" in page
    assert "frontal 0.920, at least" in page
    scores = re.findall(r'<tr data-label="(\w+)"><th scope="row">[^<]*</th>\s*<td>([\d.]+)', page)
    assert scores[0] == ("frontal", "0.920")
    assert {label for label, _ in scores} >= {"lateral", "not_chest", "inverted", "rotated"}


def test_what_is_positive_in_any_panel_stands_first_and_leads_to_its_panel(gateway, film):
    """The first card names findings of every panel, `normal` never among them."""
    page = page_of(gateway, film)
    card = re.search(r'<section class="card headlines".*?</section>', page, re.DOTALL)[0]
    named = re.findall(r'href="#panel-(\w+)".*?class="name">([^<]+)<.*?<b>([\d.]+)</b>', card)
    assert {panel for panel, _, _ in named} == {"pneumonia", "pathology"}
    assert "normal" not in {name for _, name, _ in named}
    probabilities = [probability for _, _, probability in named]
    assert probabilities == sorted(probabilities, reverse=True)


def test_abnormal_positives_lead_each_table_then_the_most_probable(gateway, film):
    """A reader finds what matters at the top of a panel, whatever the order of its labels."""
    rows = re.findall(
        r'data-label="(\w+)"\s+class="(\w+) (\w*) ?">.*?class="number">([\d.]+)<',
        section(page_of(gateway, film), "pneumonia"),
        re.DOTALL,
    )
    keys = [((state, kind) != ("positive", "abnormal"), -float(p)) for _, state, kind, p in rows]
    assert len(rows) == 4
    assert keys == sorted(keys)
    assert rows[0][1:3] == ("positive", "abnormal")


def test_fourteen_findings_are_folded_while_none_is_positive():
    """A panel without a positive finding says its most probable one and stays closed."""
    gateway = chest_of_fourteen(threshold=0.99)
    card = section(page_of(gateway, sent(gateway)), "pathology")
    assert re.search(r"<details\s*>", card)
    assert "None of 14 findings reaches its operating point; most probable" in card
    assert "finding 14 " in re.search(r"<summary>.*?</summary>", card, re.DOTALL)[0]
    assert card.count("<tr role=") == 15


def test_fourteen_findings_are_open_as_soon_as_one_is_positive():
    """The number of positive findings is on the fold."""
    gateway = chest_of_fourteen(threshold=0.10)
    card = section(page_of(gateway, sent(gateway)), "pathology")
    count = int(re.search(r"(\d+) of 14 findings at or above", card)[1])
    assert 0 < count < 14
    assert card.count(">Positive<") == count
    assert "<details open>" in card


def test_without_a_positive_finding_the_page_does_not_call_the_film_normal():
    """Nothing found is said as just that."""
    gateway = chest_of_fourteen(threshold=0.99)
    assert "That does not mean that the film is normal." in page_of(gateway, sent(gateway))


def test_the_panels_caution_and_its_model_stand_with_the_findings(gateway, film):
    """Whoever reads a number reads what it rests on."""
    card = section(page_of(gateway, film), "pathology")
    assert "Trained on labels that were mined from reports." in card
    assert "Model chest 1.0.0." in card
    assert 'href="/models#chest-1.0.0"' in card


def weak_chest(*weak: str) -> FakeGateway:
    """A gateway whose pathology panel rests on weak evidence for these labels."""
    panel = small_panel("pathology", FOURTEEN, kind=PanelKind.MULTI_LABEL, threshold=0.08)
    labels = tuple(replace(label, weak=label.name in weak) for label in panel.labels)
    chest = model_of("chest", replace(panel, labels=labels))
    return FakeGateway(models=[small_gate(), chest, small_lungs()])


def test_a_weak_finding_says_so_in_its_row_and_among_the_first():
    """Whoever reads it positive reads what it is worth, and stronger findings stand before it."""
    gateway = weak_chest(FOURTEEN[-1])
    page = page_of(gateway, sent(gateway))
    rows = re.findall(r'data-label="(finding_\d+)"(.*?)</tr>', page, re.DOTALL)
    assert {label for label, row in rows if "weak evidence" in row} == {FOURTEEN[-1]}
    card = re.search(r'<section class="card headlines".*?</section>', page, re.DOTALL)[0]
    named = re.findall(r'class="name">([^<]+)<', card)
    assert named[-1] == "finding 14"
    assert len(named) > 1


def test_a_panel_that_is_weak_throughout_says_so_once_and_where_it_is_positive():
    """Fourteen equal marks would hide the ones that matter."""
    gateway = weak_chest(*FOURTEEN)
    card = section(page_of(gateway, sent(gateway)), "pathology")
    assert "weak evidence throughout" in card
    rows = re.findall(r'class="(positive|negative) abnormal">(.*?)</tr>', card, re.DOTALL)
    said = {state for state, row in rows if "weak evidence" in row}
    assert {state for state, _ in rows} == {"positive", "negative"}
    assert said == {"positive"}


def test_boxes_and_outlines_are_off_until_asked_for(gateway, film):
    """The film is first seen alone; the switches are there."""
    page = page_of(gateway, film)
    assert tag(page, '<svg id="boxes"').endswith("hidden>")
    assert " src=" not in tag(page, '<img id="outlines-lungs"')
    assert re.search(r'<input type="checkbox" name="boxes" value="1"\s*>', page)
    assert re.search(r'<input type="checkbox" name="outlines" value="lungs"\s*>', page)


def test_boxes_and_outlines_are_chosen_by_the_address(gateway, film):
    """Without scripts the form leads to the same layers, and they can be linked to."""
    page = page_of(gateway, film, "?boxes=1&outlines=lungs")
    assert "hidden" not in tag(page, '<svg id="boxes"')
    assert f'src="{film}/outlines/lungs.svg"' in tag(page, '<img id="outlines-lungs"')
    assert len(re.findall(r'type="checkbox"[^>]*checked', page)) == 2
    groups = re.findall(r'<g data-finding="([\w/]+)" (hidden)?', page)
    assert len(groups) > 1
    assert not any(hidden for _, hidden in groups)


def test_with_a_heatmap_only_the_boxes_of_its_finding_are_seen(gateway, film):
    """Boxes of other findings would say nothing about the heatmap below them."""
    page = page_of(gateway, film, "?boxes=1&heatmap=pneumonia/covid19")
    groups = dict(re.findall(r'<g data-finding="([\w/]+)" (hidden)?', page))
    assert groups.pop("pneumonia/covid19") == ""
    assert set(groups.values()) == {"hidden"}


def test_every_box_is_drawn_where_the_result_says(gateway, film):
    """The overlay's coordinates are those of the stored boxes, in film pixels."""
    page = page_of(gateway, film)
    assert 'id="boxes" viewBox="0 0 96 72"' in page
    drawn = re.findall(
        r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/>', page
    )
    with gateway.unit_of_work.begin(write=False) as transaction:
        (job,) = transaction.jobs.changed_since(gateway.clock.now(), None, 100)
        panels = transaction.results.get(job.id).panels
    stored = [
        [box.x, box.y, box.width, box.height]
        for panel in panels
        for finding in panel.findings
        for box in finding.boxes
    ]
    assert stored
    assert sorted([float(edge) for edge in box] for box in drawn) == pytest.approx(
        np.array(sorted(stored)), abs=0.01
    )


def test_lungs_are_named_with_their_share_and_the_ratio_with_its_method(gateway, film):
    """Both sides, the share of the film, and how the cardiothoracic ratio was measured."""
    page = page_of(gateway, film)
    card = re.search(r'<section class="card structures".*?</section>', page, re.DOTALL)[0]
    assert "right lung" in card
    assert "left lung" in card
    shares = dict(re.findall(r'data-label="(\w+)".*?<td>([\d.]+) %</td>', card, re.DOTALL))
    assert float(shares["right_lung"]) == pytest.approx(100 * 0.65 * 0.27, rel=0.15)
    assert re.search(r'<b class="number">0\.\d\d</b> .*between the borders of the outlined', card)
    assert "Right and left are the patient" in card


def test_a_ratio_that_was_not_measured_says_why():
    """There is a reason in words in the place of the number."""
    lungs = model_of(
        "lungs", small_panel("lungs", ("right_lung", "heart"), kind=PanelKind.STRUCTURES)
    )
    gateway = FakeGateway(models=[small_gate(), small_chest(), lungs])
    page = page_of(gateway, sent(gateway))
    reason = re.search(r"<b>Not measured</b>\s*<span[^>]*>([^<]+)<", page)[1]
    assert len(reason.split()) > 2


def test_a_film_that_the_gate_stopped_is_seen_with_its_scores_and_without_findings(gateway):
    """What it looks like, what can be done, the film itself; no finding anywhere."""
    film = sent(gateway, WHITE)
    page = page_of(gateway, film)
    assert "Stopped at the gate" in page
    assert "It looks like: <strong>not chest</strong> (0.920)" in page
    assert "frontal 0.020, at least" in page
    assert "Only frontal chest radiographs" in page
    assert f'src="{film}/preview.png"' in page
    assert "findings-table" not in page
    assert "structures" not in page
    picture = gateway.person(Role.VIEWER, "north").get(f"{film}/preview.png")
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")


def test_the_preview_of_a_stopped_film_is_for_who_may_see_the_film(gateway):
    """Another site is told that there is no such film."""
    film = sent(gateway, WHITE)
    stranger = gateway.person(Role.ADMIN, "south")
    assert stranger.get(f"{film}/preview.png").status_code == 404


def test_the_worklist_says_in_short_why_a_film_was_rejected(gateway):
    """A row of a stopped film has a few words before the detail."""
    sent(gateway, WHITE)
    page = gateway.person(Role.VIEWER).get("/").text
    assert '<span class="in-short">Not a frontal chest film</span>' in page
    assert "not chest (0.92)" in page


def test_the_worklist_names_three_findings_and_counts_the_others():
    """A film with many findings keeps its row short."""
    gateway = chest_of_fourteen(threshold=0.01)
    sent(gateway)
    page = gateway.person(Role.VIEWER).get("/").text
    assert page.count('class="chip"') == 3
    assert "and 11 more" in page


def test_a_name_that_two_panels_give_is_one_chip():
    """A finding that two panels agree on is not named twice in a row."""
    panels = [small_panel(name, ("normal", "infected")) for name in ("infection", "again")]
    gateway = FakeGateway(models=[model_of("chest", *panels)])
    sent(gateway)
    page = gateway.person(Role.VIEWER).get("/").text
    assert re.findall(r'class="chip">([^<]+) <b>', page) == ["infected"]

"""The page of a film that gate, panels and lungs have read."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from hilum.domain.model import PanelKind
from hilum.domain.principal import Role
from hilum_gateway.pictures.overlay_colours import FINDING_COLOURS
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
from tests.unit.gateway.pages.results import result_of, within_lungs

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


def impression(page: str) -> str:
    """The section of the impression."""
    return re.search(r'<section id="impression".*?</section>', page, re.DOTALL)[0]


def tag(page: str, start: str) -> str:
    """The first tag that begins like this, whole."""
    return re.search(rf"{re.escape(start)}[^>]*>", page)[0]


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway(models=whole_set())


@pytest.fixture
def film(gateway) -> str:
    return sent(gateway)


@pytest.fixture
def within(gateway) -> str:
    """Address of an image whose heatmaps lie within the lungs."""
    return sent(gateway, within_lungs())


def chest_of_fourteen(threshold: float) -> FakeGateway:
    """A gateway whose chest model has a panel of fourteen findings."""
    panel = small_panel("pathology", FOURTEEN, kind=PanelKind.MULTI_LABEL, threshold=threshold)
    return FakeGateway(models=[small_gate(), model_of("chest", panel), small_lungs()])


def test_the_gates_verdict_stands_with_its_score_and_operating_point(gateway, film):
    """An accepted image says so, and the scores of the gate can be unfolded."""
    page = page_of(gateway, film)
    assert "Accepted by the gate" in page
    assert "frontal 0.920, at least" in page
    scores = re.findall(r'<tr data-label="(\w+)"><th scope="row">[^<]*</th>\s*<td>([\d.]+)', page)
    assert scores[0] == ("frontal", "0.920")
    assert {label for label, _ in scores} >= {"lateral", "not_chest", "inverted", "rotated"}


def test_what_is_positive_in_any_panel_stands_first_and_leads_to_its_panel(gateway, film):
    """The impression names findings of every panel, `normal` never among them."""
    card = impression(page_of(gateway, film))
    named = re.findall(r'href="#panel-(\w+)".*?class="name">([^<]+)<', card)
    assert {panel for panel, _ in named} == {"pneumonia", "pathology"}
    assert "normal" not in {name for _, name in named}
    stored = result_of(gateway, film).impression
    assert [name for _, name in named] == [found.display for found in stored.findings]


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
    """A panel without a positive finding says so on its fold and stays closed."""
    gateway = chest_of_fourteen(threshold=0.99)
    card = section(page_of(gateway, sent(gateway)), "pathology")
    assert re.search(r"<details\s*>", card)
    assert "<summary>None of 14 findings reaches its operating point</summary>" in card
    assert card.count("<tr role=") == 15


def test_fourteen_findings_are_open_as_soon_as_one_is_positive():
    """The number of positive findings is on the fold."""
    gateway = chest_of_fourteen(threshold=0.10)
    card = section(page_of(gateway, sent(gateway)), "pathology")
    count = int(re.search(r"(\d+) of 14 findings at or above", card)[1])
    assert 0 < count < 14
    assert card.count(">Positive<") == count
    assert "<details open>" in card


def test_without_a_positive_finding_the_page_says_what_was_looked_for():
    """No finding is said first, with every label that was assessed."""
    gateway = chest_of_fourteen(threshold=0.99)
    said = impression(page_of(gateway, sent(gateway)))
    assert ">No finding</h2>" in said
    assert "Looked for: finding 1, finding 2," in said


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
    """Who reads it as positive reads what its evidence is worth, in the row and at first."""
    gateway = weak_chest(FOURTEEN[-1])
    page = page_of(gateway, sent(gateway))
    rows = re.findall(r'data-label="(finding_\d+)"(.*?)</tr>', page, re.DOTALL)
    assert {label for label, row in rows if "weak evidence" in row} == {FOURTEEN[-1]}
    items = re.findall(r"<li>(.*?)</li>", impression(page), re.DOTALL)
    assert len(items) > 1
    assert ["weak evidence" in item for item in items] == ["finding 14" in item for item in items]


def test_a_panel_that_is_weak_throughout_says_so_once_and_where_it_is_positive():
    """Fourteen equal marks would hide the ones that matter."""
    gateway = weak_chest(*FOURTEEN)
    card = section(page_of(gateway, sent(gateway)), "pathology")
    assert "weak evidence throughout" in card
    rows = re.findall(r'class="(positive|negative) abnormal">(.*?)</tr>', card, re.DOTALL)
    said = {state for state, row in rows if "weak evidence" in row}
    assert {state for state, _ in rows} == {"positive", "negative"}
    assert said == {"positive"}


def test_every_overlay_is_off_until_asked_for(gateway, within):
    """The image is first seen alone. The switches are there."""
    page = page_of(gateway, within)
    assert tag(page, '<img id="heatmap-image"').endswith("hidden>")
    assert tag(page, '<svg id="boxes"').endswith("hidden>")
    assert " src=" not in tag(page, '<img id="outlines-lungs"')
    assert re.search(r'<input type="radio" name="heatmap" value="" checked>', page)
    assert re.search(r'<input type="checkbox" name="boxes" value="1"\s*>', page)
    assert re.search(r'<input type="checkbox" name="outlines" value="lungs"\s*>', page)
    legend = re.search(r'<ul id="legend".*?</ul>', page, re.DOTALL)[0]
    entries = re.findall(r"<li[^>]*>", legend)
    assert len(entries) > 4
    assert all(entry.endswith("hidden>") for entry in entries)


def test_boxes_and_outlines_are_chosen_by_the_address(gateway, within):
    """Without scripts the form leads to the same layers, and they can be linked to."""
    page = page_of(gateway, within, "?boxes=1&outlines=lungs")
    assert "hidden" not in tag(page, '<svg id="boxes"')
    assert f'src="{within}/outlines/lungs.svg"' in tag(page, '<img id="outlines-lungs"')
    assert len(re.findall(r'type="checkbox"[^>]*checked', page)) == 2
    groups = re.findall(r'<g data-finding="([\w/]+)" stroke="#\w+" (hidden)?', page)
    assert len(groups) > 1
    assert not any(hidden for _, hidden in groups)
    legend = re.search(r'<ul id="legend".*?</ul>', page, re.DOTALL)[0]
    assert "<li" in legend
    assert not re.search(r"<li[^>]*hidden", legend)


def test_with_a_heatmap_only_the_boxes_of_its_finding_are_seen(gateway, within):
    """Boxes of other findings would say nothing about the heatmap below them."""
    boxes = {value: colour for value, colour, _ in groups_of(page_of(gateway, within))}
    chosen = next(iter(boxes))
    page = page_of(gateway, within, f"?boxes=1&heatmap={chosen}")
    seen = {value for value, _, hidden in groups_of(page) if not hidden}
    assert seen == {chosen}
    assert len(boxes) > 1


def groups_of(page: str) -> list[tuple[str, str, str]]:
    """Value, colour and ``hidden`` of each finding's boxes."""
    return re.findall(r'<g data-finding="([\w/]+)" stroke="(#\w+)" (hidden)?', page)


def test_a_finding_has_one_colour_in_every_overlay_and_in_the_legend(gateway, within):
    """Heatmap, boxes, legend and the table's row agree, and findings differ."""
    page = page_of(gateway, within)
    colours = {value: colour for value, colour, _ in groups_of(page)}
    assert len(set(colours.values())) == len(colours) > 1
    for value, colour in colours.items():
        choice = tag(page, f'<input type="radio" name="heatmap" value="{value}"')
        assert f'data-colour="{colour}"' in choice
        assert f"{value}.png?colour={FINDING_COLOURS.index(colour)}" in choice
        entry = re.search(rf'<li data-finding="{value}".*?</li>', page, re.DOTALL)[0]
        assert f'fill="{colour}"' in entry
        panel, label = value.split("/")
        row = re.search(rf'data-panel="{panel}" data-label="{label}".*?</tr>', page, re.DOTALL)[0]
        assert f'fill="{colour}"' in row


def test_no_name_is_written_over_the_image(gateway, within):
    """Names stand in the legend: neither the boxes nor the outlines carry text."""
    page = page_of(gateway, within, "?boxes=1&outlines=lungs")
    assert "<text" not in re.search(r'<svg id="boxes".*?</svg>', page, re.DOTALL)[0]
    outlines = gateway.person(Role.VIEWER).get(f"{within}/outlines/lungs.svg").text
    assert "<path" in outlines
    assert "<text" not in outlines


def test_every_box_is_drawn_where_the_result_says(gateway, within):
    """The overlay's coordinates are those of the stored boxes, in image pixels."""
    page = page_of(gateway, within)
    assert 'id="boxes" viewBox="0 0 96 72"' in page
    drawn = re.findall(
        r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/>', page
    )
    stored = [
        [box.x, box.y, box.width, box.height]
        for panel in result_of(gateway, within).panels
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
    assert "Rejected by the gate" in page
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
    assert '<span class="in-short">Not a frontal chest image</span>' in page
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

"""Cards: a report's figures in a recipe's prose."""

from __future__ import annotations

import pytest

from hilum_training.export.model_card import render_card
from hilum_training.markdown import markdown
from tests.small_networks import small_network


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("card")
    return small_network("chest", folder).publish(folder / "models")


REPORT = {
    "films": {"test": 812},
    "panels": {
        "tuberculosis": {
            "accuracy": {"value": 0.91234, "interval": [0.9, 0.92]},
            "within_source": [
                {"question": "normal or ill", "auroc": 0.955, "interval": [0.93, 0.97]},
                {"question": "early | late", "auroc": 0.5, "interval": [0.4, 0.6], "films": 12},
            ],
            "labels": {
                "normal": {"threshold": 0.25, "validation": {"sensitivity": 0.9}},
                "tuberculosis": {"threshold": 0.75, "validation": {"sensitivity": None}},
            },
        }
    },
}


def test_a_card_carries_the_figures_of_its_report(manifest):
    """A figure is named by the keys that lead to it, a panel's by the panel."""
    template = "$name $version: $films_test films, $tuberculosis_accuracy at $size ($$ 0)"
    card = render_card(template, manifest, REPORT)
    assert card == "chest 0.1.0: 812 films, 0.9123 (0.9 to 0.92) at 32 ($ 0)\n"


def test_a_list_of_rows_becomes_a_table_with_intervals_beside_their_figures(manifest):
    """An interval joins the figure before it; what a row lacks is a dash."""
    card = render_card("$tuberculosis_within_source", manifest, REPORT)
    assert card.splitlines() == [
        "| question | auroc | images |",
        "| --- | --- | --- |",
        "| normal or ill | 0.955 (0.93 to 0.97) | - |",
        "| early \\| late | 0.5 (0.4 to 0.6) | 12 |",
    ]


def test_a_row_for_each_label_begins_with_the_label(manifest):
    """Figures one level deeper become columns of their own."""
    card = render_card("$tuberculosis_labels", manifest, REPORT)
    assert card.splitlines() == [
        "|  | threshold | validation sensitivity |",
        "| --- | --- | --- |",
        "| normal | 0.25 | 0.9 |",
        "| tuberculosis | 0.75 | - |",
    ]


def test_the_films_that_were_used_stand_in_the_card(manifest):
    """Sources with their licences and counts by split."""
    assert "| made | none | normal | 1 | 1 | 1 |" in render_card("$data", manifest, REPORT)


def test_the_side_of_a_panels_maps_is_known(manifest):
    """A card says how coarse its heatmaps are."""
    assert render_card("$pathology_grid", manifest, REPORT) == "8\n"


def test_a_figure_that_was_not_measured_is_no_card(manifest):
    """A template that asks for what there is not fails the export, not the reader."""
    with pytest.raises(KeyError, match="tuberculosis_sensitivity"):
        render_card("$tuberculosis_sensitivity", manifest, REPORT)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456, "0.1235"),
        (1.0, "1"),
        (12, "12"),
        (True, "yes"),
        (None, "-"),
        (["a", 0.5], "a, 0.5"),
        ({"value": 0.5, "interval": None}, "0.5"),
        ("as | it is", "as | it is"),
        ([{"test_films": 3}], "| test images |\n| --- |\n| 3 |"),
        ({"mean_dice": 0.96}, "|  |   |\n| --- | --- |\n| mean dice | 0.96 |"),
    ],
)
def test_every_form_of_a_value_is_written(value, text):
    """Figures, lists, text and tables."""
    assert markdown(value) == text


def test_a_sentence_without_a_figure_leaves_no_gap(manifest):
    """An empty name leaves neither two spaces nor two blank lines."""
    report = {"nothing": "", "panels": {}}
    card = render_card("a $nothing b\n\n$nothing\n\nc\n", manifest, report)
    assert card == "a b\n\nc\n"

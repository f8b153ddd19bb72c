"""The guide in training/README.md names what exists."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from hilum_training.__main__ import _parser
from hilum_training.films.readers.registry import LAYOUTS
from hilum_training.films.readers.vocabulary import FRONTAL_VIEWS, PANEL_LABELS
from hilum_training.panel_recipe import ComparisonRecipe
from hilum_training.recipe import read_recipe

ROOT = Path(__file__).resolve().parents[4]
GUIDE = (ROOT / "training" / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", GUIDE, flags=re.DOTALL)
COMMANDS = [
    line.removeprefix("$ ").partition("#")[0].strip()
    for _, block in BLOCKS
    for line in block.splitlines()
    if line.removeprefix("$ ").startswith("hilum_training ")
]


def test_the_guide_shows_commands():
    """The tests below have something to look at."""
    assert len(COMMANDS) >= 8


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_the_guide_is_one(command):
    """What a reader types is taken by the program, options and all."""
    assert _parser().parse_args(shlex.split(command)[1:]).command


def test_each_layout_of_the_guide_can_be_read():
    """Its table has every layout, and no other."""
    tabled = re.search(r"\| layout \|.*?\n\n", GUIDE, flags=re.DOTALL)
    assert tabled is not None
    named = [line.split("|")[1] for line in tabled[0].splitlines()[2:] if "|" in line]
    assert sorted(re.findall(r"`(\w+)`", " ".join(named))) == sorted(LAYOUTS)


def test_each_label_and_view_of_the_guide_is_in_our_words():
    """A reader's table with these words is read without a rename."""
    row = next(line for line in GUIDE.splitlines() if line.startswith("| `label` |"))
    assert set(re.findall(r"`(\w+)`", row)) - {"label"} == set(PANEL_LABELS)
    assert {"PA", "AP", "AP Supine"} < set(FRONTAL_VIEWS)


def test_the_question_of_the_guide_fits_the_shipped_recipe():
    """The TOML can be pasted: its outputs and labels are those of the panel."""
    block = next(block for kind, block in BLOCKS if kind == "toml" and "comparison" in block)
    (question,) = tomllib.loads(f"[[panel]]\n{block}")["panel"][0]["comparison"]
    asked = ComparisonRecipe(
        **{key: tuple(v) if isinstance(v, list) else v for key, v in question.items()}
    )
    recipe = read_recipe(ROOT / "training" / "recipes" / "chest.toml")
    (panel,) = [panel for panel in recipe.panels if panel.name == "tuberculosis"]
    assert {*asked.positive_outputs, *asked.negative_outputs} <= set(panel.names)
    assert {*asked.positive, *asked.negative} <= set(panel.candidates)


def test_each_file_that_the_guide_links_to_is_there():
    """No link leads nowhere."""
    links = re.findall(r"\]\(([^)#:]+)\)", GUIDE)
    assert links
    assert [link for link in links if not (ROOT / "training" / link).exists()] == []

"""``data report``: numbers, plots, pages of films, and the text around them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from hilum_training.data_report.document import write_document
from hilum_training.data_report.facts import gather_facts
from hilum_training.data_report.figures import draw_figures
from hilum_training.data_report.sheets import example_films, masked_films, write_sheet
from hilum_training.data_report.survey import survey_pack
from hilum_training.recipe import read_recipe

# Every recipe of one seed divides the pack alike; this one reads the most films.
RECIPE: Final = Path(__file__).resolve().parents[2] / "recipes" / "chest.toml"


def write_report(pack: Path, out: Path, recipe: Path = RECIPE) -> Path:
    """Write the report on a pack; the same pack gives the same bytes.

    Args:
        pack: Folder of the film pack.
        out: Folder of the report: ``README.md``, ``data.json``, figures.
        recipe: Whose split is reported.

    Returns:
        ``out``.

    Raises:
        DatasetInvalid: The folder is no pack.
    """
    survey = survey_pack(pack, read_recipe(recipe))
    facts = gather_facts(survey)
    examples, masked = example_films(survey.used), masked_films(survey.used)
    out.mkdir(parents=True, exist_ok=True)
    (out / "data.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    draw_figures(survey, facts, out)
    write_sheet(pack, examples, out / "examples.jpg", masks=False)
    write_sheet(pack, masked, out / "masks.jpg", masks=True)
    write_document(facts, examples, masked, out / "README.md")
    return out

"""Reports in the shipped format, of networks that guess better than chance on made images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hilum_training.evaluation.headline import headline
from hilum_training.evaluation.measure import measure_panel, section_thresholds
from hilum_training.evaluation.report_files import write_json, write_reports
from hilum_training.evaluation.verdicts import PanelPoints
from hilum_training.films.targets import panel_targets
from tests.unit.training.panel_answers import GATE, RECIPE, answers, film

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hilum_training.films.pack import Film
    from hilum_training.panel_recipe import PanelRecipe

IMAGES = {
    ("kermany", "normal"): 30,
    ("kermany", "pneumonia_bacterial"): 30,
    ("kermany", "pneumonia_viral"): 30,
    ("nih14", "normal"): 30,
    ("nih14", "pneumonia_unspecified"): 30,
    ("nih14", "other:effusion"): 28,
    ("shenzhen", "normal"): 30,
    ("shenzhen", "tuberculosis"): 30,
    ("montgomery", "normal"): 8,
    ("montgomery", "tuberculosis"): 6,
    ("cohen", "covid19"): 20,
    ("cohen", "pneumonia_bacterial"): 6,
    ("covid_cxnet", "covid19"): 20,
}
VERSION = "9.0.0"
ABOUT = {"version": VERSION, "created": "2020-01-02", "weights": "abc", "parameters": 1}


def images() -> list[Film]:
    """Images of every source, each of a patient of its own."""
    pathology = next(panel for panel in RECIPE.panels if panel.kind == "multi_label")
    found: list[Film] = []
    for (source, label), count in IMAGES.items():
        for place in range(count):
            finding = pathology.names[place % len(pathology.names)]
            listed = frozenset({finding} if label.startswith("other") else ())
            named = f"other:{finding}" if listed else label
            found.append(film(len(found), source, named, view="PA", findings=listed))
    return found


def guessed(panel: PanelRecipe, films: Sequence[Film], seed: int, strength: float) -> np.ndarray:
    """Logits that lean towards the targets."""
    noise = np.random.default_rng(seed).normal(size=(len(films), len(panel.labels)))
    return noise + strength * (panel_targets(films, panel).values - 0.5)


def chest_report(strength: float = 4.0) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """What the network's panels share, and their sections."""
    films = images()
    test = {
        panel.name: answers(panel, films, guessed(panel, films, 1, strength).tolist())
        for panel in RECIPE.panels
    }
    sections, points, chances = {}, [], {}
    for panel in RECIPE.panels:
        chosen_on = answers(panel, films, guessed(panel, films, 2, strength).tolist())
        section = measure_panel(chosen_on, test[panel.name])
        calibration = chosen_on.calibration()
        points.append(PanelPoints.of_recipe(panel, section_thresholds(section)))
        chances[panel.name] = calibration.probabilities(test[panel.name].logits)
        section["scope"] = {
            "limits": dict.fromkeys(panel.scope.limits, 1.5),
            "sources": ["kermany", "nih14"],
            "never_shown": ["children below 10 years with: Effusion"],
        }
        sections[panel.name] = section
    severity = {item.file: float(place % 6) for place, item in enumerate(films)}
    about = {
        **ABOUT,
        "films_used": _used(films),
        "headline": headline(films, [item.group for item in films], points, chances, severity),
        "source_probe": {"features": {"accuracy": {"value": 0.9, "interval": [0.8, 0.95]}}},
        "population": _population(),
    }
    return about, sections


def write_guessed(folder: Path) -> None:
    """Write reports of a chest network and a gate, a run without a source and what is kept."""
    about, sections = chest_report()
    write_reports(folder, "chest", about, sections)
    gate = [film(place, "nih14", name) for place, name in enumerate(GATE.names * 40)]
    logits = guessed(GATE, gate, 3, 4.0).tolist()
    told = answers(GATE, gate, logits)
    write_reports(
        folder, "gate", {**ABOUT, "films_used": _used(gate)}, {"gate": measure_panel(told, told)}
    )
    row = {"seen_in_training": False, **sections["tuberculosis"]["within_source"][1]}
    write_json(
        folder / "shifts/tb-learnt-in-shenzhen/metrics.json",
        {
            "shift": "tb-learnt-in-shenzhen",
            "panel": "tuberculosis",
            "about": "Tuberculosis across sites",
            "series": "sites",
            "learnt_from": {"shenzhen: normal": 3},
            "pixels": 224,
            "epochs": 9,
            "within_source": [row],
        },
    )


def _used(films: Sequence[Film]) -> list[dict[str, Any]]:
    kinds = sorted({(item.source, item.label.partition(":")[0]) for item in films})
    return [
        {
            "source": source,
            "licence": "CC BY 4.0",
            "label": label,
            "train": 3 * (count := IMAGES.get((source, label), 40)),
            "validation": count,
            "test": count,
        }
        for source, label in kinds
    ]


def _population() -> dict[str, Any]:
    share = {"value": 0.01, "interval": [0.0, 0.03]}
    sources = sorted({source for source, _ in IMAGES})
    return {
        "measures": ["distance", "child"],
        "limits": {"distance": 1.5, "child": 0.5},
        "by_source": [
            {"source": name, "images": 60, "beyond_distance": share, "taken_for_a_child": share}
            for name in sources
        ],
        "by_age": [{"ages": "below 10 years", "images": 60, "taken_for_a_child": share}],
        "source_left_out": [
            {"source": name, "images": 60, "beyond_distance": share} for name in sources
        ],
    }

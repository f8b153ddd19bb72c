"""``python -m hilum_training.evaluation.previous_release REVISION``: what a release measured.

The figures of a release that is replaced are kept in ``reports/previous/<version>.json``, so that
the pages over all reports can compare the new ones with them. They come from the release's own
report. Flags on normal images were not reported before 0.3.0. They are measured again with the
graph and the operating points of the release, on the test images of sources whose test images are
still the same. That is so where every AUROC within the source comes out as the release reported it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnxruntime

from hilum_training.evaluation.by_source import share
from hilum_training.evaluation.comparisons import comparison_scores, sides
from hilum_training.evaluation.headline import is_normal, mean_flags
from hilum_training.evaluation.report_files import write_json
from hilum_training.films.library import open_library
from hilum_training.films.pack import pack_folder
from hilum_training.measures.bootstrap import PatientBootstrap
from hilum_training.measures.metrics import area_under_curve
from hilum_training.recipe import read_recipe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hilum_training.films.library import FilmSet
    from hilum_training.recipe import Recipe

    Chances = Mapping[str, NDArray[np.float64]]

TRAINING: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = "previous"
_REPORT: Final = "training/reports/chest/metrics.json"
_MODEL: Final = "model_repository/chest"
_BATCH: Final = 16
_SAME: Final = 1e-3
_WITHIN: Final = (
    "question",
    "source",
    "positive_films",
    "negative_films",
    "auroc",
    "shipped_sensitivity",
    "shipped_specificity",
)


def kept(report: Mapping[str, Any], source_of_findings: str = "") -> dict[str, Any]:
    """Return what is compared later of a network's report.

    Args:
        report: Its ``metrics.json``.
        source_of_findings: Of which source the images of a panel of findings are, where the report
            does not say: before 0.3.0 it had one.
    """
    panels = report["panels"]
    return {
        "version": report["version"],
        "created": report["created"],
        "within_source": [
            {"panel": name, **{key: row.get(key) for key in _WITHIN}}
            for name, section in panels.items()
            for row in section["within_source"]
        ],
        "findings": [
            row
            for name, section in panels.items()
            if section["kind"] == "multi_label"
            for row in _findings(name, section, source_of_findings)
        ],
        "calibration_error": {
            name: section["calibration_error"]["after"] for name, section in panels.items()
        },
        **({"headline": report["headline"]} if "headline" in report else {}),
    }


def _findings(name: str, section: Mapping[str, Any], source: str) -> list[dict[str, Any]]:
    """The AUROC of each finding within each source."""
    found = []
    for label, row in section["labels"].items():
        within = [
            (below["source"], below["auroc"])
            for below in row.get("test_by_source", ())
            if below.get("auroc", {}).get("value") is not None
        ]
        if "test_by_source" not in row:
            within = [(source, row["auroc"])]
        found += [
            {"panel": name, "label": label, "source": where, "auroc": area}
            for where, area in within
        ]
    return found


@dataclass(frozen=True, slots=True)
class Served:
    """A release's graph with its operating points.

    Attributes:
        manifest: Its ``manifest.json``.
        graph: Its ``model.onnx``.
    """

    manifest: Mapping[str, Any]
    graph: bytes

    def chances(self, inputs: NDArray[np.uint8]) -> dict[str, NDArray[np.float64]]:
        """Return calibrated probabilities, float64 [N, K] by panel."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            self.graph, options, providers=["CPUExecutionProvider"]
        )
        names = [f"{panel['name']}_probabilities" for panel in self.manifest["panels"]]
        parts = [
            session.run(names, {session.get_inputs()[0].name: inputs[start : start + _BATCH]})
            for start in range(0, len(inputs), _BATCH)
        ]
        return {
            panel["name"]: np.concatenate([part[place] for part in parts]).astype(np.float64)
            for place, panel in enumerate(self.manifest["panels"])
        }

    def flags(self, chances: Chances) -> NDArray[np.bool_]:
        """Return which abnormal labels reach their operating points, bool [N, L].

        Before 0.3.0 every label was judged alone, and shown.
        """
        columns = []
        for panel in self.manifest["panels"]:
            points = {item["label"]: item["threshold"] for item in panel["operating_points"]}
            for place, label in enumerate(panel["labels"]):
                if label.get("abnormal", True) and label["name"] in points:
                    columns.append(chances[panel["name"]][:, place] >= points[label["name"]])
        return np.stack(columns, axis=1)


def flags_by_source(
    served: Served, recipe: Recipe, test: FilmSet, report: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return flags of a release on normal and on ill images, source by source.

    Args:
        served: The release's graph.
        recipe: With the questions within sources.
        test: Test images.
        report: Of the release: decides which sources have the same test images.
    """
    chances = served.chances(test.inputs)
    flagged = served.flags(chances).sum(axis=1)
    normal = is_normal(test.films)
    sources = np.array([film.source for film in test.films], dtype=str)
    draws, patients = PatientBootstrap(test.clusters), np.array(test.clusters, dtype=str)
    rows = []
    for source in same_sources(recipe, test, chances, report):
        healthy, ill = (sources == source) & normal, (sources == source) & ~normal
        rows.append(
            {
                "source": source,
                "normal_films": int(healthy.sum()),
                "flags_a_normal_film": mean_flags(draws, flagged, healthy, patients),
                "normal_films_without_a_flag": share(draws, flagged == 0, healthy, patients),
                "ill_films": int(ill.sum()),
                "ill_films_without_a_flag": share(draws, flagged == 0, ill, patients),
            }
        )
    return rows


def same_sources(
    recipe: Recipe, test: FilmSet, chances: Chances, report: Mapping[str, Any]
) -> list[str]:
    """Return the sources on whose test images a release's graph gives every AUROC as reported.

    Args:
        recipe: With the questions within sources.
        test: Test images of now.
        chances: The graph's probabilities on them.
        report: Of the release.
    """
    told: dict[str, list[bool]] = {}
    for panel in recipe.panels:
        reported = {
            row["question"]: row["auroc"]["value"]
            for row in report["panels"][panel.name]["within_source"]
        }
        for asked in panel.comparisons:
            if asked.name in reported:
                at, positive = sides(asked, test.films)
                scores = comparison_scores(asked, panel.names, chances[panel.name][at])
                # Without an image on one side it is not a number, and not the same.
                apart = abs(area_under_curve(scores, positive) - reported[asked.name])
                told.setdefault(asked.source, []).append(apart < _SAME)
    return sorted(source for source, same in told.items() if all(same))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file of one release; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision", help="of git: the release's last commit")
    parser.add_argument("--recipe", type=Path, default=TRAINING / "recipes/chest.toml")
    parser.add_argument("--runs", type=Path, default=TRAINING / "runs", help="decoded images")
    parser.add_argument("--source-of-findings", default="", help="where the report has none")
    options = parser.parse_args(arguments)
    report = json.loads(_at(options.revision, _REPORT))
    found = kept(report, options.source_of_findings)
    if "headline" not in found:
        manifest = json.loads(_at(options.revision, f"{_MODEL}/manifest.json"))
        graph = _at(options.revision, f"{_MODEL}/{manifest['onnx']}")
        recipe = read_recipe(options.recipe)
        test = open_library(recipe, pack_folder(), options.runs).test
        rows = flags_by_source(Served(manifest, graph), recipe, test, report)
        found["flags_measured_again"] = rows
    path = TRAINING / "reports" / FOLDER / f"{report['version']}.json"
    write_json(path, found)
    sys.stdout.write(f"{path}\n")
    return 0


def _at(revision: str, path: str) -> bytes:
    command = ["git", "show", f"{revision}:{path}"]
    return subprocess.run(command, cwd=TRAINING.parent, check=True, capture_output=True).stdout


if __name__ == "__main__":
    sys.exit(main())

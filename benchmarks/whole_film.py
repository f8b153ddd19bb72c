"""What one whole film costs, from its bytes to every panel, map, box and outline.

Run as ``python -m benchmarks.whole_film``. The published films are read one after the other in one
thread, each network at a batch of one, as a worker reads them with ONNX Runtime. Figures are
processor time: other work on the machine lengthens it by the caches and the memory that it takes,
so that the load is reported, and beside the median of the runs the least of them. Writes
``benchmarks/out/whole_film.json``.
"""

from __future__ import annotations

import os

# Read once, when numpy is loaded: everything here is to use one core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import statistics
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.films import native_films
from benchmarks.table import machine
from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.adapters.inference.inference import open_inference
from hilum.adapters.model_catalogue.model_catalogue import FilesystemModelCatalogue
from hilum.application.analysis.evidence import locate_within
from hilum.application.analysis.infer import ModelInputs
from hilum.application.analysis.normalise import View, with_bright_bones
from hilum.application.analysis.pipeline import analyse
from hilum.application.analysis.structures import lung_field, structures_reading
from hilum.domain.model import PanelKind
from hilum.imaging.film import FilmLimits

if TYPE_CHECKING:
    from collections.abc import Callable

    from hilum.application.analysis.pipeline import ImageAnalysis
    from hilum.application.ports.inference import InferenceEngine, Reading
    from hilum.domain.model import ModelSet
    from hilum.imaging.film import Film

OUT: Final = Path(__file__).resolve().parent / "out"
ROOT: Final = Path(__file__).resolve().parents[1]
AIM_MS: Final = 40.0
DECODING: Final = "decoding"
WHOLE: Final = "without decoding"
REST: Final = "findings, maps and the rest"

Spent = dict[str, float]
"""Processor milliseconds: ``median`` and ``least`` of the runs."""


def measure(repository: Path, films: int | None, repeats: int) -> dict[str, Any]:
    """Cost of the films of the benchmark.

    Args:
        repository: A model repository.
        films: At most so many.
        repeats: Runs of each film and part.
    """
    reader = DicomFilmReader(FilmLimits())
    engine = open_inference("onnx://?threads=1", repository)
    models = FilesystemModelCatalogue(repository).current()
    uploads = native_films()[:films]
    for model in models.models:  # load the graphs before the clock runs
        engine.check(model)
    load_before = os.getloadavg()[0]
    rows = []
    for upload in uploads:
        film = reader.read(upload.content)
        said = analyse(film, models, engine)
        row = {
            "film": upload.name,
            "megapixels": round(film.pixels.size / 1e6, 2),
            "passed": said.passed,
            "maps": len(said.heatmaps),
            DECODING: _cpu_ms(partial(reader.read, upload.content), repeats),
            WHOLE: _cpu_ms(partial(analyse, film, models, engine), repeats),
        }
        rows.append(row | {"parts": _parts(film, models, engine, said, repeats)})
    return {
        "machine": machine(),
        "threads": 1,
        "batch": 1,
        "load": [round(load_before, 1), round(os.getloadavg()[0], 1)],
        "models": {model.name: model.version for model in models.models},
        "aim_ms": AIM_MS,
        "films": rows,
    }


def _parts(
    film: Film, models: ModelSet, engine: InferenceEngine, said: ImageAnalysis, repeats: int
) -> dict[str, Spent]:
    """The same steps one by one, CPU milliseconds; boxes for as many maps as were kept."""
    inputs = ModelInputs(with_bright_bones(View(film)).film)
    parts = {
        "polarity and resampling": _cpu_ms(partial(_prepared, film, models), repeats),
        **{
            f"network {model.name}": _cpu_ms(partial(engine.infer, model, inputs(model)), repeats)
            for model in models.models
        },
    }
    if not said.passed:
        return parts
    outputs = engine.read(models, inputs)
    return (
        parts
        | {"outlines": _cpu_ms(partial(_outlined, film, models, outputs), repeats)}
        | {"boxes": _cpu_ms(partial(_boxes, film, models, outputs, said), repeats)}
    )


def _prepared(film: Film, models: ModelSet) -> None:
    inputs = ModelInputs(with_bright_bones(View(film)).film)
    for model in models.models:
        inputs(model)


def _outlined(film: Film, models: ModelSet, outputs: Reading) -> None:
    for model in models.models:
        for panel in model.panels:
            if panel.kind is PanelKind.STRUCTURES:
                masks = outputs.outputs(model)[model.output("masks", panel.name).name][0]
                structures_reading(model, panel, masks, film.pixels.shape)


def _boxes(film: Film, models: ModelSet, outputs: Reading, said: ImageAnalysis) -> None:
    outlined = [
        (panel, outputs.outputs(model)[model.output("masks", panel.name).name][0])
        for model in models.models
        for panel in model.panels
        if panel.kind is PanelKind.STRUCTURES
    ]
    locate = locate_within(lung_field(outlined), film.pixels.shape)
    positive = {(heatmap.panel, heatmap.label) for heatmap in said.heatmaps}
    for model in models.models:
        for panel in model.panels:
            for k, label in enumerate(panel.labels):
                if (panel.name, label.name) in positive:
                    name = model.output("heatmaps", panel.name).name
                    locate(outputs.outputs(model)[name][0, :, :, k])


def _cpu_ms(work: Callable[[], object], repeats: int) -> Spent:
    """Processor milliseconds of some runs."""
    spent = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        spent.append(1000 * (time.process_time() - started))
    return {"median": round(statistics.median(spent), 3), "least": round(min(spent), 3)}


def summary(report: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Over the films, by part: mean, median and largest of the medians, mean of the least runs.

    What the parts leave of the whole is the rest.
    """
    columns: dict[str, list[Spent]] = {}
    for row in report["films"]:
        for part, spent in row["parts"].items():
            columns.setdefault(part, []).append(spent)
        rest = {
            run: row[WHOLE][run] - sum(spent[run] for spent in row["parts"].values())
            for run in ("median", "least")
        }
        for part, spent in ((REST, rest), (WHOLE, row[WHOLE]), (DECODING, row[DECODING])):
            columns.setdefault(part, []).append(spent)
    return {
        part: {
            "mean": statistics.fmean(film["median"] for film in films),
            "median": statistics.median(film["median"] for film in films),
            "most": max(film["median"] for film in films),
            "mean of the least runs": statistics.fmean(film["least"] for film in films),
        }
        for part, films in columns.items()
    }


def show(report: dict[str, Any]) -> None:
    """Print the report."""
    console = Console(width=110)
    console.print(report["machine"])
    films = report["films"]
    before, after = report["load"]
    console.print(
        f"{len(films)} films, {sum(row['passed'] for row in films)} past the gate, "
        f"{sum(row['maps'] for row in films) / len(films):.1f} maps a film; one thread; "
        f"load average {before} to {after} on {report['machine']['cores']} cores"
    )
    table = Table("CPU ms a film", "mean", "median", "most", "mean of the least runs")
    for part, spent in summary(report).items():
        table.add_row(part, *(f"{value:.1f}" for value in spent.values()))
    console.print(table)
    over = sum(row[WHOLE]["median"] > report["aim_ms"] for row in films)
    console.print(f"{over} of {len(films)} films cost more than the aim of {AIM_MS:.0f} ms")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=ROOT / "model_repository")
    parser.add_argument("--films", type=int, help="at most so many")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    report = measure(options.models, options.films, options.repeats)
    OUT.mkdir(exist_ok=True)
    text = json.dumps(report, indent=2) + "\n"
    (OUT / "whole_film.json").write_text(text, encoding="utf-8")
    show(report)


if __name__ == "__main__":
    main()

"""The limit: decode and infer the same films in a bare loop, on the same cores.

Run as ``python -m benchmarks.bare_loop COUNT PROCESSES``; prints ``{"films_per_second": ...}``.
Nothing is stored, queued, authenticated or drawn. With one process it is what a loop in a notebook
does: ONNX Runtime may use every core, the rest waits its turn. With a process a core, each with a
session of one thread, it is the limit of the machine.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

from benchmarks.films import native_films
from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.adapters.inference.inference import open_inference
from hilum.adapters.model_catalogue.model_catalogue import FilesystemModelCatalogue
from hilum.application.analysis.infer import model_input
from hilum.imaging.film import FilmLimits

_MODELS = Path(__file__).resolve().parents[1] / "model_repository"


def read_films(number: int, offset: int, threads: int, start: float) -> tuple[float, float]:
    """Read so many films from a moment on; the moments of the first and after the last."""
    reader = DicomFilmReader(FilmLimits())
    engine = open_inference(f"onnx://?threads={threads}", _MODELS)
    models = FilesystemModelCatalogue(_MODELS).current().models
    films = [film.content for film in native_films()]
    for model in models:  # load the graph before the clock runs
        engine.infer(model, model_input(model, reader.read(films[0])))
    time.sleep(max(0.0, start - time.time()))
    begun = time.time()
    for index in range(offset, offset + number):
        film = reader.read(films[index % len(films)])
        for model in models:
            engine.infer(model, model_input(model, film))
    return begun, time.time()


def films_per_second(number: int, processes: int) -> float:
    """Films per second over all processes, from the first start to the last end."""
    share = number // processes
    threads = max(1, (os.cpu_count() or 1) // processes)
    start = time.time() + 8
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        spans = pool.starmap(
            read_films, [(share, n * share, threads, start) for n in range(processes)]
        )
    elapsed = max(end for _, end in spans) - min(begun for begun, _ in spans)
    return share * processes / elapsed


if __name__ == "__main__":
    print(json.dumps({"films_per_second": films_per_second(int(sys.argv[1]), int(sys.argv[2]))}))

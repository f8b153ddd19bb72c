"""The order of the stages is known in one place, and an image passes each of them once."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from hilum.application.analysis import pipeline
from hilum.application.analysis.pipeline import analyse
from hilum.domain.model import ModelSet
from hilum.imaging.film import Film, FilmHeader
from hilum.imaging.phantom import phantom_film
from tests.fakes.inference import PALE, WHITE, BandEngine
from tests.fakes.model_catalogue import whole_set

if TYPE_CHECKING:
    from types import FrameType

PIPELINE = Path(pipeline.__file__)
MODELS = ModelSet(tuple(whole_set()))
FILM = Film(phantom_film(320, 256, seed=1), FilmHeader("application/dicom"))
ONCE = {
    "normalise": "Views.__init__",
    "gate": "pass_gate",
    "structures": "outline",
    "findings": "find",
    "evidence": "add_evidence",
}


def entered(film: Film) -> Counter[tuple[str, str]]:
    """How often each function of another stage was called by the pipeline, by file and name."""
    found: Counter[tuple[str, str]] = Counter()

    def see(frame: FrameType, event: str, _argument: object) -> None:
        caller = frame.f_back
        if event != "call" or caller is None:
            return
        inside, outside = Path(frame.f_code.co_filename), Path(caller.f_code.co_filename)
        if inside.parent == PIPELINE.parent and inside != outside == PIPELINE:
            found[inside.stem, frame.f_code.co_qualname] += 1

    engine = BandEngine(MODELS.models)
    sys.setprofile(see)
    try:
        analyse(film, MODELS, engine)
    finally:
        sys.setprofile(None)
    return found


@pytest.mark.parametrize(
    ("film", "asked"),
    [
        (FILM, 1),
        (replace(FILM, pixels=np.full((320, 256), int(127.5 * (PALE + WHITE)), np.uint8)), 2),
        (replace(FILM, pixels=255 - FILM.pixels), 1),
        (replace(FILM, header=replace(FILM.header, mirrored=True)), 1),
    ],
    ids=["plain", "a negative to the gate", "inverted", "mirrored"],
)
def test_each_stage_is_entered_once(film: Film, asked: int) -> None:
    """Whatever was corrected on an image. Only where the gate sees a negative is it asked twice."""
    found = entered(film)
    for stage, name in ONCE.items():
        assert found[stage, name] == 1, stage
    assert found["infer", "infer"] == asked
    work = {name for stage, name in found if stage in {*ONCE, "infer"}}
    assert work <= {*ONCE.values(), "infer", "contradictions", "Gated.passed"}


def test_an_image_that_is_rejected_passes_no_stage_behind_the_gate() -> None:
    """Neither structures, findings nor evidence."""
    found = entered(Film(np.full((320, 256), 255, np.uint8), FILM.header))
    assert {stage for stage, _ in found} == {"normalise", "gate", "infer"}
    assert found["infer", "infer"] == 1

"""Builds the known-answer test; the only module here that knows adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.adapters.inference.inference import open_inference
from hilum.serving.golden import GOLDEN, Golden
from hilum.serving.installed import read_installed
from hilum_triton_probe.known_answers import KnownAnswerTest
from hilum_triton_probe.metrics import KnownAnswerMetrics

if TYPE_CHECKING:
    from pathlib import Path


def bootstrap(triton: str, models: Path) -> KnownAnswerTest:
    """Wire what watches one Triton. Nothing connects yet.

    Args:
        triton: ``triton://host:port``, with options as a worker has them.
        models: A repository that ``hilum-engine`` installed, with its known answers.

    Raises:
        ValueError: The address is none.
        InvalidManifest: There is no such repository, or it has no known answers.
    """
    if not triton.startswith("triton://"):
        raise ValueError("the known-answer test asks Triton: its address is triton://host:port")
    engine = open_inference(triton, models)
    known = [
        (manifest, Golden.read(model.folder / str(manifest.serving_version) / GOLDEN))
        for model in read_installed(models)
        for manifest in model.versions
    ]
    return KnownAnswerTest(engine, known, KnownAnswerMetrics())

"""Build, check and place the engines of a whole repository; what fails falls back."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from hilum.serving.installed import read_installed, verify_artefacts
from hilum.serving.repository import Rendering, render_repository
from hilum.serving.target import MAX_BATCH, TYPICAL_BATCH, Target
from hilum_engine.builder import Profile
from hilum_engine.engine_cache import EngineCache, EngineKey
from hilum_engine.errors import EngineNotBuilt, Reason
from hilum_engine.golden import golden_by_version
from hilum_engine.half_precision import to_half
from hilum_engine.metrics import EngineMetrics
from hilum_engine.numeric_check import check_engine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hilum.domain.model import ModelManifest
    from hilum.serving.installed import InstalledModel
    from hilum_engine.builder import Device, EngineBuilder

logger = logging.getLogger(__name__)

PROFILE: Final = Profile(smallest=1, typical=TYPICAL_BATCH, largest=MAX_BATCH)
FLOAT16: Final = "float16"
FLOAT32: Final = "float32"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be built.

    Attributes:
        repository: The repository that training wrote.
        out: What Triton will serve.
        cache: Folder of engines; outlives the container.
        fallback: Target of a model without an engine.
        precision: ``float16`` or ``float32``.
    """

    repository: Path
    out: Path
    cache: Path
    fallback: Target = Target.GPU_ONNXRUNTIME
    precision: str = FLOAT16


@dataclass(slots=True)
class Outcome:
    """What came of it.

    Attributes:
        renderings: By model.
        metrics: To be written by the caller.
    """

    renderings: dict[str, Rendering] = field(default_factory=dict)
    metrics: EngineMetrics = field(default_factory=EngineMetrics)

    @property
    def fallen_back(self) -> tuple[str, ...]:
        """Models that are served without an engine."""
        return tuple(
            name
            for name, rendering in self.renderings.items()
            if rendering.target is not Target.GPU_TENSORRT
        )


def build_repository(order: Order, open_builder: Callable[[], EngineBuilder]) -> Outcome:
    """Render a repository with an engine for every model that gets one.

    Whatever goes wrong with an engine is logged, counted and costs that model its engine: a server
    that answers a little later is better than none.

    Args:
        order: What to build.
        open_builder: Opens TensorRT; called once.

    Raises:
        InvalidManifest: The repository cannot be read, or a file in it is not the published one.
        OSError: ``out`` cannot be written.
    """
    outcome = Outcome()
    models = read_installed(order.repository)
    for model in models:
        verify_artefacts(model)
    try:
        workshop = _open(order, open_builder, outcome.metrics)
    except EngineNotBuilt as error:
        for model in models:
            _fall_back(model, model.newest, error, order, outcome)
    else:
        for model in models:
            _build_model(workshop, model, order, outcome)
    for model in models:
        rendering = outcome.renderings[model.newest.name]
        golden = golden_by_version(model, rendering.target)
        outcome.renderings[model.newest.name] = replace(rendering, golden=golden)
    render_repository(order.repository, order.out, outcome.renderings)
    return outcome


@dataclass(frozen=True, slots=True)
class _Workshop:
    builder: EngineBuilder
    device: Device
    cache: EngineCache
    precision: str


def _open(
    order: Order, open_builder: Callable[[], EngineBuilder], metrics: EngineMetrics
) -> _Workshop:
    builder = open_builder()
    device = builder.device()
    metrics.device(device)
    try:
        cache = EngineCache(order.cache)
    except OSError as error:
        raise EngineNotBuilt(Reason.CACHE_UNUSABLE, f"{order.cache}: {error}") from error
    return _Workshop(builder, device, cache, order.precision)


def _build_model(
    workshop: _Workshop, model: InstalledModel, order: Order, outcome: Outcome
) -> None:
    """All versions of a model share one configuration: all get their engine, or none."""
    plans: dict[int, Path] = {}
    for manifest in model.versions:
        try:
            plans[manifest.serving_version] = _engine(workshop, model, manifest, outcome.metrics)
        except EngineNotBuilt as error:
            _fall_back(model, manifest, error, order, outcome)
            return
        except Exception as error:  # noqa: BLE001 - nothing about an engine may stop the server
            unexpected = EngineNotBuilt(Reason.UNEXPECTED, repr(error))
            _fall_back(model, manifest, unexpected, order, outcome)
            return
    outcome.renderings[model.newest.name] = Rendering(Target.GPU_TENSORRT, plans)


def _engine(
    workshop: _Workshop, model: InstalledModel, manifest: ModelManifest, metrics: EngineMetrics
) -> Path:
    """The path of a checked engine, from the cache or built now."""
    device, cache = workshop.device, workshop.cache
    graph = next(item for item in manifest.artefacts if item.path == manifest.onnx)
    key = EngineKey(
        onnx_sha256=graph.sha256,
        precision=workshop.precision,
        tensorrt=device.tensorrt,
        gpu=device.gpu,
        compute_capability=device.compute_capability,
        batches=(PROFILE.smallest, PROFILE.typical, PROFILE.largest),
    )
    with cache.alone():
        found = cache.find(key)
        if found is not None:
            metrics.ready(manifest.name, manifest.serving_version, 0.0, {})
            return found
        started = time.monotonic()
        content = (model.folder / manifest.onnx).read_bytes()
        built = workshop.builder.build(
            to_half(content) if workshop.precision == FLOAT16 else content,
            manifest.film_input,
            PROFILE,
            cache.timing_cache(device),
        )
        cache.keep_timing_cache(device, built.timing_cache)
        gaps = check_engine(
            manifest, content, lambda films: workshop.builder.run(built.plan, films), PROFILE
        )
        path = cache.publish(key, built.plan, gaps)
    seconds = time.monotonic() - started
    metrics.ready(manifest.name, manifest.serving_version, seconds, gaps)
    facts = {
        "model": manifest.name,
        "version": str(manifest.version),
        "seconds": round(seconds),
    }
    logger.info("engine.built", extra=facts)
    return path


def _fall_back(
    model: InstalledModel,
    manifest: ModelManifest,
    error: EngineNotBuilt,
    order: Order,
    outcome: Outcome,
) -> None:
    facts = {
        "model": manifest.name,
        "version": str(manifest.version),
        "reason": error.reason.value,
        "error": str(error),
    }
    logger.warning("engine.failed", extra=facts)
    for version in model.versions:
        outcome.metrics.fallback(manifest.name, version.serving_version, error.reason)
    outcome.renderings[manifest.name] = Rendering(order.fallback)

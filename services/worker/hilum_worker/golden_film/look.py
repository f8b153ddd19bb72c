"""Golden films put before a Triton, and what to make of its answers."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from hilum.domain.errors import HilumError, InferenceUnavailable
from hilum_worker.golden_film.verdict import Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.application.ports.inference import InferenceEngine
    from hilum.domain.model import ModelManifest
    from hilum.serving.golden import Golden
    from hilum_worker.golden_film.metrics import GoldenFilmMetrics

_LOG = logging.getLogger(__name__)


class GoldenFilms:
    """Reads the golden films again and again; asked by other threads what came of it."""

    def __init__(
        self,
        engine: InferenceEngine,
        golden: Sequence[tuple[ModelManifest, Golden]],
        metrics: GoldenFilmMetrics,
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            engine: Asks the Triton that is watched.
            golden: Every installed version with its films.
            metrics: Told of each look.
        """
        self._engine = engine
        self._golden = golden
        self.metrics = metrics
        self.verdict = Verdict()

    def look(self) -> Verdict:
        """Ask every model once. Never raises: whatever goes wrong is a finding."""
        began = time.monotonic()
        try:
            finding, reason = self._find()
        except Exception as error:  # noqa: BLE001 - ending would leave the last word standing
            _LOG.exception("golden_films.crashed")
            finding, reason = Finding.WRONG, f"internal_error: {type(error).__name__}"
        before = self.verdict
        wrong = before.wrong_in_a_row + 1 if finding is Finding.WRONG else 0
        down = before.down_in_a_row + 1 if finding is Finding.DOWN else 0
        self.verdict = Verdict(finding, reason, wrong, down)
        self.metrics.looked(finding, time.monotonic() - began)
        if (before.finding, before.reason) != (finding, reason):
            level = logging.INFO if finding is Finding.RIGHT else logging.ERROR
            facts = {"finding": finding.value, "reason": reason}
            _LOG.log(level, "golden_films.judged", extra=facts)
        return self.verdict

    def _find(self) -> tuple[Finding, str]:
        for model, golden in self._golden:
            try:
                outputs = self._engine.infer(model, golden.films)
            except InferenceUnavailable as error:
                return self._unavailable(model, error)
            except HilumError as error:
                return Finding.WRONG, f"{error.code}: {error}"
            gaps = golden.deviations(outputs)
            self.metrics.deviated(model, {name: gaps[name] / golden.allowed[name] for name in gaps})
            if wrong := golden.wrong(gaps):
                return Finding.WRONG, (
                    f"wrong_answer: {model.name} {model.version}: {wrong[0]} is off by "
                    f"{gaps[wrong[0]]:.3g}, allowed is {golden.allowed[wrong[0]]:.3g}"
                )
        return Finding.RIGHT, ""

    def _unavailable(self, model: ModelManifest, first: HilumError) -> tuple[Finding, str]:
        """Not there, or there and silent?"""
        try:
            self._engine.check(model)
        except InferenceUnavailable as error:
            return Finding.DOWN, f"{error.code}: {error}"
        except HilumError as error:
            return Finding.WRONG, f"{error.code}: {error}"
        return Finding.WRONG, f"{first.code}: Triton is ready and does not answer: {first}"

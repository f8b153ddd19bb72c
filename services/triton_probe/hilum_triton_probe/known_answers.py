"""The known-answer test: images whose outputs are known are put before a Triton."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from hilum.domain.errors import HilumError, InferenceUnavailable
from hilum_triton_probe.status import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.application.ports.inference import InferenceEngine
    from hilum.domain.model import ModelManifest
    from hilum.serving.golden import Golden
    from hilum_triton_probe.metrics import KnownAnswerMetrics

_LOG = logging.getLogger(__name__)


class KnownAnswerTest:
    """Runs again and again. Other threads ask for its status.

    Attributes:
        metrics: Told of each run.
        status: After the last run.
    """

    def __init__(
        self,
        engine: InferenceEngine,
        known: Sequence[tuple[ModelManifest, Golden]],
        metrics: KnownAnswerMetrics,
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            engine: Asks the Triton that is watched.
            known: Every installed version with its inputs and outputs.
            metrics: Told of each run.
        """
        self._engine = engine
        self._known = known
        self.metrics = metrics
        self.status = Status()

    def run(self) -> Status:
        """Ask every model once. Never raises: whatever goes wrong is an outcome."""
        began = time.monotonic()
        try:
            outcome, reason = self._ask()
        except Exception as error:  # noqa: BLE001 - ending would leave the last status standing
            _LOG.exception("known_answers.crashed")
            outcome, reason = Outcome.WRONG, f"internal_error: {type(error).__name__}"
        before = self.status
        wrong = before.wrong_in_a_row + 1 if outcome is Outcome.WRONG else 0
        down = before.down_in_a_row + 1 if outcome is Outcome.DOWN else 0
        self.status = Status(outcome, reason, wrong, down)
        self.metrics.ran(outcome, time.monotonic() - began)
        if (before.outcome, before.reason) != (outcome, reason):
            level = logging.INFO if outcome is Outcome.RIGHT else logging.ERROR
            facts = {"finding": outcome.value, "reason": reason}
            _LOG.log(level, "known_answers.compared", extra=facts)
        return self.status

    def _ask(self) -> tuple[Outcome, str]:
        for model, known in self._known:
            try:
                outputs = self._engine.infer(model, known.films)
            except InferenceUnavailable as error:
                return self._unavailable(model, error)
            except HilumError as error:
                return Outcome.WRONG, f"{error.code}: {error}"
            gaps = known.deviations(outputs)
            self.metrics.deviated(model, {name: gaps[name] / known.allowed[name] for name in gaps})
            if wrong := known.wrong(gaps):
                return Outcome.WRONG, (
                    f"wrong_answer: {model.name} {model.version}: {wrong[0]} is off by "
                    f"{gaps[wrong[0]]:.3g}, allowed is {known.allowed[wrong[0]]:.3g}"
                )
        return Outcome.RIGHT, ""

    def _unavailable(self, model: ModelManifest, first: HilumError) -> tuple[Outcome, str]:
        """Tell a Triton that is not there from one that is there and silent."""
        try:
            self._engine.check(model)
        except InferenceUnavailable as error:
            return Outcome.DOWN, f"{error.code}: {error}"
        except HilumError as error:
            return Outcome.WRONG, f"{error.code}: {error}"
        return Outcome.WRONG, f"{first.code}: Triton is ready and does not answer: {first}"

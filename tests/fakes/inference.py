"""An engine that looks at the pixels and knows nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hilum.domain.errors import HilumError, InferenceFailed, InferenceUnavailable, ModelNotServed
from hilum.domain.model import PanelKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from hilum.application.ports.inference import Films, Outputs
    from hilum.domain.model import ModelManifest, ModelSet, Panel

STRUCTURES = {
    "right_lung": (0.15, 0.80, 0.15, 0.40),
    "left_lung": (0.15, 0.80, 0.65, 0.85),
    "lungs_with_heart": (0.15, 0.80, 0.15, 0.85),
    "heart": (0.50, 0.80, 0.40, 0.65),
}
"""Where every film's structures are: top, bottom, left, right as shares of the film."""

PALE, WHITE = 0.75, 0.9
"""Mean grey above which a film is a negative to the gate, and above which it is no chest."""


class BandEngine:
    """Fake of :class:`hilum.application.ports.inference.InferenceEngine`.

    A film is cut into as many horizontal bands as there are labels; the brighter a band, the more
    probable its label. A heatmap is the film itself, coarse, weighted by the probability. The gate
    judges the mean grey, and structures lie where they always lie (``STRUCTURES``).

    Attributes:
        available: Set it to False to make the engine unavailable.
        failure: Set it to an error that every inference then raises.
        calls: Films of each inference so far.
        asked: Name of the model of each inference so far.
    """

    def __init__(self, served: Iterable[ModelManifest]) -> None:
        self.available = True
        self.failure: HilumError | None = None
        self.calls: list[NDArray[np.uint8]] = []
        self.asked: list[str] = []
        self._served = {(model.name, model.serving_version) for model in served}

    def infer(self, model: ModelManifest, films: NDArray[np.uint8]) -> Outputs:
        self.check(model)
        if self.failure is not None:
            raise self.failure
        wrong_shape = films.shape[1:] != model.film_input.shape or films.shape[0] < 1
        if wrong_shape or films.dtype != np.dtype(model.film_input.dtype):
            raise InferenceFailed(f"{model.name} takes no {films.dtype} {films.shape}")
        self.calls.append(films)
        self.asked.append(model.name)
        grey = films[..., 0].astype(np.float32) / 255
        outputs: dict[str, NDArray[Any]] = {}
        for panel in model.panels:
            outputs |= self._outputs(model, panel, grey)
        return outputs

    def read(self, models: ModelSet, films: Films) -> OneAfterTheOther:  # noqa: ARG002 - the port's
        return OneAfterTheOther(self, films)

    def check(self, model: ModelManifest) -> None:
        if not self.available:
            raise InferenceUnavailable("the engine does not answer: it was told not to")
        if (model.name, model.serving_version) not in self._served:
            raise ModelNotServed(f"no version {model.serving_version} of {model.name}")

    def _outputs(
        self, model: ModelManifest, panel: Panel, grey: NDArray[np.float32]
    ) -> dict[str, NDArray[Any]]:
        if panel.kind is PanelKind.STRUCTURES:
            spec = model.output("masks", panel.name)
            return {spec.name: _masks(panel, (len(grey), *spec.shape))}
        judge = _gate_scores if panel.kind is PanelKind.GATE else _band_scores
        probabilities = judge(panel, grey)
        outputs = {model.output("probabilities", panel.name).name: probabilities}
        if model.has_output("heatmaps", panel.name):
            spec = model.output("heatmaps", panel.name)
            height, width, _ = spec.shape
            rows = np.linspace(0, grey.shape[1] - 1, height).astype(int)
            columns = np.linspace(0, grey.shape[2] - 1, width).astype(int)
            coarse = grey[:, rows][:, :, columns]
            outputs[spec.name] = coarse[..., np.newaxis] * probabilities[:, np.newaxis, np.newaxis]
        return outputs


class OneAfterTheOther:
    """Fake of :class:`hilum.application.ports.inference.Reading`."""

    def __init__(self, engine: BandEngine, films: Films) -> None:
        self._engine = engine
        self._films = films
        self._known: dict[str, Outputs] = {}

    def outputs(self, model: ModelManifest) -> Outputs:
        if model.name not in self._known:
            self._known[model.name] = self._engine.infer(model, self._films(model))
        return self._known[model.name]


def _band_scores(panel: Panel, grey: NDArray[np.float32]) -> NDArray[np.float32]:
    parts = np.array_split(grey, len(panel.labels), axis=1)
    bands = np.stack([band.mean(axis=(1, 2)) for band in parts], axis=1)
    exponentials = np.exp(4 * bands)
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True), np.float32)


def _gate_scores(panel: Panel, grey: NDArray[np.float32]) -> NDArray[np.float32]:
    names = [label.name for label in panel.labels]
    scores = np.full((len(grey), len(names)), 0.02, np.float32)
    for film, mean in enumerate(grey.mean(axis=(1, 2))):
        seen = "not_chest" if mean > WHITE else "inverted" if mean > PALE else "frontal"
        scores[film, names.index(seen)] = 1 - 0.02 * (len(names) - 1)
    return scores


def _masks(panel: Panel, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    masks = np.zeros(shape, np.uint8)
    _, height, width, _ = shape
    for index, label in enumerate(panel.labels):
        top, bottom, left, right = STRUCTURES[label.name]
        down = slice(round(top * height), round(bottom * height))
        masks[:, down, round(left * width) : round(right * width), index] = 255
    return masks

"""What goes into a model and what comes out, held against its manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hilum.application.ports.inference import InferenceOutput
from hilum.domain.errors import InferenceFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hilum.domain.model import ModelManifest, TensorSpec


def require_films(model: ModelManifest, films: NDArray[np.uint8]) -> None:
    """Check films before they travel.

    Raises:
        InferenceFailed: Not a batch [N, H, W, 1] of at least one film of the manifest's shape and
            dtype.
    """
    spec = model.film_input
    if films.ndim < 1 or films.shape[0] < 1 or films.shape[1:] != spec.shape:
        raise InferenceFailed(
            f"{model.name} takes films of shape {spec.shape}, got a batch of shape {films.shape}"
        )
    if films.dtype != np.dtype(spec.dtype):
        raise InferenceFailed(f"{model.name} takes {spec.dtype}, got {films.dtype}")


def promised_output(
    model: ModelManifest, outputs: Mapping[str, NDArray[np.generic] | None], count: int
) -> InferenceOutput:
    """Read a model's answer.

    Args:
        model: Promises names, shapes and dtypes.
        outputs: Tensors by name, batch axis first.
        count: Films that were sent.

    Raises:
        InferenceFailed: An output is missing, has another shape or dtype than promised, or holds
            a probability that is no number in [0, 1].
    """
    probabilities = _promised(model, model.output("probabilities"), outputs, count)
    heatmaps = _promised(model, model.output("heatmaps"), outputs, count)
    # Written so that NaN fails it as well.
    if not (probabilities.min() >= 0.0 and probabilities.max() <= 1.0):
        raise InferenceFailed(f"{model.name} gave a probability outside [0, 1]")
    return InferenceOutput(probabilities=probabilities, heatmaps=heatmaps)


def _promised(
    model: ModelManifest,
    spec: TensorSpec,
    outputs: Mapping[str, NDArray[np.generic] | None],
    count: int,
) -> NDArray[np.float32]:
    tensor = outputs.get(spec.name)
    if tensor is None:
        raise InferenceFailed(f"{model.name} gave no output {spec.name}")
    promised = (count, *spec.shape)
    if tensor.shape != promised or tensor.dtype != np.dtype(spec.dtype):
        raise InferenceFailed(
            f"{model.name} promised {spec.name} as {spec.dtype} {promised}, "
            f"gave {tensor.dtype} {tensor.shape}"
        )
    return tensor.astype(np.float32, copy=False)

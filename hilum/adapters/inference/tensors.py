"""What goes into a model and what comes out, held against its manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

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


def promised_outputs(
    model: ModelManifest, outputs: Mapping[str, NDArray[Any] | None], count: int
) -> dict[str, NDArray[Any]]:
    """Read a model's answer.

    Args:
        model: Promises names, shapes and dtypes.
        outputs: Tensors by name, batch axis first; others than the model's may be among them.
        count: Films that were sent.

    Returns:
        The model's outputs by name: masks as they are, all else as float32.

    Raises:
        InferenceFailed: An output is missing, has another shape or dtype than promised, or holds
            a probability that is no number in [0, 1], or anything else that is no finite number.
    """
    return {
        spec.name: _promised(model, spec, outputs.get(spec.name), count) for spec in model.outputs
    }


def _promised(
    model: ModelManifest, spec: TensorSpec, tensor: NDArray[Any] | None, count: int
) -> NDArray[Any]:
    if tensor is None:
        raise InferenceFailed(f"{model.name} gave no output {spec.name}")
    promised = (count, *spec.shape)
    if tensor.shape != promised or tensor.dtype != np.dtype(spec.dtype):
        raise InferenceFailed(
            f"{model.name} promised {spec.name} as {spec.dtype} {promised}, "
            f"gave {tensor.dtype} {tensor.shape}"
        )
    if spec.meaning == "masks":
        return tensor
    # NaN would pass every bound of a scope.
    if not np.isfinite(tensor).all():
        raise InferenceFailed(f"{model.name} gave a non-finite number in {spec.name}")
    if spec.meaning == "probabilities" and not (tensor.min() >= 0.0 and tensor.max() <= 1.0):
        raise InferenceFailed(f"{model.name} gave a probability outside [0, 1] in {spec.name}")
    return tensor.astype(np.float32, copy=False)

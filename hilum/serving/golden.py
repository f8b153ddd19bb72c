"""What a served network must say of golden films, whatever runs it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum.domain.errors import InvalidManifest
from hilum.serving.target import Target

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from hilum.domain.model import ModelManifest

GOLDEN: Final = "golden.npz"
"""In a version's folder, beside the graph."""

_FILMS: Final = "films"
_EXPECTED: Final = "expected/"
_ALLOWED: Final = "allowed/"
_GRID: Final = 7
_IMAGE_AXES: Final = 4


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Largest deviation that passes: ``absolute + relative * largest expected magnitude``."""

    absolute: float
    relative: float = 0.0


_SAME_ARITHMETIC: Final = {
    "probabilities": Tolerance(0.001),
    "heatmaps": Tolerance(0.01, 0.001),
    "scope": Tolerance(0.01, 0.001),
    "masks": Tolerance(1.0),
}
# A GPU multiplies float32 with the mantissa of float16 (TF32).
_SHORTER_MANTISSA: Final = {
    "probabilities": Tolerance(0.01),
    "heatmaps": Tolerance(0.05, 0.01),
    "scope": Tolerance(0.05, 0.01),
    "masks": Tolerance(2.0),
}
# Seen in float16, shipped networks on phantoms: 0.002, 0.055 of 12, and 0.1 grey levels.
_HALF_PRECISION: Final = {
    "probabilities": Tolerance(0.02),
    "heatmaps": Tolerance(0.1, 0.02),
    "scope": Tolerance(0.1, 0.02),
    "masks": Tolerance(4.0),
}
TOLERANCES: Final[Mapping[Target, Mapping[str, Tolerance]]] = MappingProxyType(
    {
        Target.CPU: _SAME_ARITHMETIC,
        Target.GPU_ONNXRUNTIME: _SHORTER_MANTISSA,
        Target.GPU_TENSORRT: _HALF_PRECISION,
    }
)


@dataclass(frozen=True, slots=True)
class Golden:
    """Films with the answers that one version of a network gives to them.

    Heatmaps and masks are kept as means over 7 x 7 fields: enough to tell a wrong picture, and
    small. Films are kept as they are, so that no other machine has to draw them the same.

    Attributes:
        films: uint8 [N, H, W, 1], preprocessed.
        expected: By output, float32 [N, K] or [N, 7, 7, K].
        allowed: By output, the largest deviation, in the output's unit.
    """

    films: NDArray[np.uint8]
    expected: Mapping[str, NDArray[np.float32]]
    allowed: Mapping[str, float]

    @classmethod
    def of(
        cls,
        manifest: ModelManifest,
        films: NDArray[np.uint8],
        outputs: Mapping[str, NDArray[Any]],
        target: Target,
    ) -> Golden:
        """Take a network's answers for the expected ones.

        Args:
            manifest: Names the outputs and their meaning.
            films: uint8 [N, H, W, 1].
            outputs: What the checked graph gives for them.
            target: What will be held against them; decides on what is allowed.
        """
        expected = {spec.name: _summary(outputs[spec.name]) for spec in manifest.outputs}
        allowed = {}
        for spec in manifest.outputs:
            tolerance = TOLERANCES[target][spec.meaning]
            magnitude = float(np.abs(expected[spec.name]).max())
            allowed[spec.name] = tolerance.absolute + tolerance.relative * magnitude
        return cls(films, expected, allowed)

    def deviations(self, outputs: Mapping[str, NDArray[Any]]) -> dict[str, float]:
        """How far answers to the films are off, by output.

        Returns:
            The largest absolute deviation; infinite where an output is missing, has another shape,
            or is no number.
        """
        return {name: _gap(outputs.get(name), wanted) for name, wanted in self.expected.items()}

    def wrong(self, deviations: Mapping[str, float]) -> list[str]:
        """The outputs whose deviation is more than is allowed."""
        return [name for name, gap in deviations.items() if not gap <= self.allowed[name]]

    def write(self, path: Path) -> None:
        """Write the file."""
        arrays: dict[str, Any] = {_FILMS: self.films}
        for name, values in self.expected.items():
            arrays[_EXPECTED + name] = values
            arrays[_ALLOWED + name] = np.float64(self.allowed[name])
        content = io.BytesIO()
        np.savez_compressed(content, **arrays)
        path.write_bytes(content.getvalue())

    @classmethod
    def read(cls, path: Path) -> Golden:
        """Read the file.

        Raises:
            InvalidManifest: It is missing, or is no such file.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                names = [key.removeprefix(_EXPECTED) for key in arrays if _EXPECTED in key]
                return cls(
                    arrays[_FILMS],
                    {name: arrays[_EXPECTED + name] for name in names},
                    {name: float(arrays[_ALLOWED + name]) for name in names},
                )
        except FileNotFoundError as error:
            raise InvalidManifest(
                f"{path} is missing: `hilum-engine install` and `build` write it"
            ) from error
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise InvalidManifest(f"{path} holds no golden films: {error!r}") from error


def _gap(answer: NDArray[Any] | None, wanted: NDArray[np.float32]) -> float:
    if answer is None:
        return float("inf")
    summary = _summary(answer)
    if summary.shape != wanted.shape:
        return float("inf")
    gap = float(np.abs(summary - wanted).max())
    return gap if np.isfinite(gap) else float("inf")


def _summary(output: NDArray[Any]) -> NDArray[np.float32]:
    """[N, K] as it is; [N, H, W, K] as means over a grid."""
    if output.ndim != _IMAGE_AXES or min(output.shape[1:3]) < _GRID:
        return output.astype(np.float32)
    for axis in (1, 2):
        bands = np.array_split(output.astype(np.float64), _GRID, axis=axis)
        output = np.stack([band.mean(axis=axis) for band in bands], axis=axis)
    return output.astype(np.float32)

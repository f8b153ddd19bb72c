"""Which inference engine an address means."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qs, urlsplit

if TYPE_CHECKING:
    from pathlib import Path

    from hilum.application.ports.inference import InferenceEngine


def open_inference(url: str, model_repository: Path) -> InferenceEngine:
    """Open the inference engine at an address; connects to nothing and loads nothing.

    Args:
        url: ``onnx://`` or ``onnx://?threads=2`` for ONNX Runtime in this process, or
            ``triton://host:port`` (``?secure=true`` for TLS, ``?deadline=10`` in seconds); a host
            with several addresses is several servers, which are asked in turn.
        model_repository: Where ONNX Runtime finds the graphs; Triton has its own.

    Raises:
        ValueError: The address is neither, or the client that it needs is not installed here.
    """
    try:
        return _open(url, model_repository)
    except ModuleNotFoundError as missing:
        raise ValueError(f"{url} needs {missing.name}, which is not installed here") from missing


def _open(url: str, model_repository: Path) -> InferenceEngine:
    parts = urlsplit(url)
    # Each engine is imported where it is chosen: an image installs the one that it uses.
    if parts.scheme == "onnx" and not parts.netloc:
        from hilum.adapters.inference.onnx_runtime import OnnxRuntimeEngine  # noqa: PLC0415

        options = _options(parts, {"threads": "1"})
        return OnnxRuntimeEngine(model_repository, intra_op_threads=int(options["threads"]))
    if parts.scheme == "triton" and parts.hostname and parts.port:
        from hilum.adapters.inference.triton_grpc import TritonEngine  # noqa: PLC0415

        options = _options(parts, {"secure": "false", "deadline": "10"})
        return TritonEngine(
            parts.netloc,
            deadline_s=float(options["deadline"]),
            secure=options["secure"].lower() == "true",
        )
    raise ValueError(f"the inference address is onnx:// or triton://host:port, not {url}")


def _options(parts: SplitResult, defaults: dict[str, str]) -> dict[str, str]:
    given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if unknown := sorted(given.keys() - defaults.keys()):
        raise ValueError(f"{parts.scheme}:// has no option {unknown[0]}")
    return {**defaults, **given}

"""Engines that were built and checked on this kind of GPU, one folder each."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hilum.serving.target import PLAN_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hilum_engine.builder import Device

DESCRIPTION: Final = "engine.json"
_LOCK: Final = ".lock"
_TIMING: Final = "timing.cache"


@dataclass(frozen=True, slots=True)
class EngineKey:
    """What an engine depends on: where one of these differs, another engine is built.

    Attributes:
        onnx_sha256: Of the graph that training published.
        precision: ``float16`` or ``float32``.
        tensorrt: Version of TensorRT.
        gpu: Name of the GPU.
        compute_capability: E.g. ``9.0``.
        batches: Smallest, typical and largest batch.
    """

    onnx_sha256: str
    precision: str
    tensorrt: str
    gpu: str
    compute_capability: str
    batches: tuple[int, int, int]

    @property
    def digest(self) -> str:
        """Names the engine's folder."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


class EngineCache:
    """A folder that outlives the container: a volume, or a folder of the node."""

    def __init__(self, folder: Path) -> None:
        """Use a folder; made if missing.

        Raises:
            OSError: It cannot be made.
        """
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def find(self, key: EngineKey) -> Path | None:
        """The engine's plan, or None where there is none or it is damaged."""
        folder = self._folder / key.digest
        try:
            description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
            plan = (folder / PLAN_FILE).read_bytes()
        except (OSError, ValueError):
            return None
        whole = isinstance(description, dict) and description.get("plan_sha256") == _sha256(plan)
        return folder / PLAN_FILE if whole else None

    def publish(self, key: EngineKey, plan: bytes, gaps: Mapping[str, float]) -> Path:
        """Keep an engine that was checked; whoever looks finds all of it or nothing.

        Args:
            key: What it was built from and for.
            plan: The engine.
            gaps: What the check found.

        Returns:
            The plan's path.
        """
        description = {"key": asdict(key), "plan_sha256": _sha256(plan), "deviation": dict(gaps)}
        target = self._folder / key.digest
        with tempfile.TemporaryDirectory(prefix=".building-", dir=self._folder) as building:
            fresh = Path(building) / "engine"
            fresh.mkdir()
            (fresh / PLAN_FILE).write_bytes(plan)
            text = json.dumps(description, indent=2) + "\n"
            (fresh / DESCRIPTION).write_text(text, encoding="utf-8")
            if target.exists():
                target.rename(Path(building) / "damaged")
            fresh.rename(target)
        return target / PLAN_FILE

    def timing_cache(self, device: Device) -> bytes:
        """What earlier builds on this kind of device learnt; empty where there were none."""
        try:
            return self._timing_path(device).read_bytes()
        except OSError:
            return b""

    def keep_timing_cache(self, device: Device, content: bytes) -> None:
        """Keep it for the next build."""
        path = self._timing_path(device)
        path.parent.mkdir(exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        Path(name).replace(path)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One build at a time: two on one GPU would spoil each other's timings."""
        with (self._folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _timing_path(self, device: Device) -> Path:
        text = json.dumps(asdict(device), sort_keys=True)
        return self._folder / f"timing-{_sha256(text.encode())[:16]}" / _TIMING


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

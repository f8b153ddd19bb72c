"""``python -m hilum_training render``: the model repository for another target than ``cpu``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.serving.installed import read_installed
from hilum.serving.repository import Rendering, render_repository

if TYPE_CHECKING:
    from pathlib import Path

    from hilum.serving.target import Target


def render(repository: Path, target: Target, out: Path) -> tuple[Path, ...]:
    """Render every model of a repository for one target; needs no TensorFlow.

    For ``gpu-tensorrt`` the places of the engines stay empty: ``hilum-engine build`` fills them.

    Returns:
        The folders written.
    """
    models = read_installed(repository)
    return render_repository(
        repository, out, {model.newest.name: Rendering(target) for model in models}
    )

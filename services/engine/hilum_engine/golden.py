"""What each installed version says of golden films, for those who watch what is served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.imaging.golden_films import golden_chests
from hilum.serving.golden import Golden
from hilum_engine.numeric_check import reference

if TYPE_CHECKING:
    from hilum.serving.installed import InstalledModel
    from hilum.serving.target import Target


def golden_by_version(model: InstalledModel, target: Target) -> dict[int, Golden]:
    """Ask every version's graph on this machine's CPU, by ONNX Runtime in float32.

    Args:
        model: Its artefacts were held against their digests.
        target: What will be held against the answers; decides how far it may be off.

    Returns:
        By serving version.
    """
    found = {}
    for manifest in model.versions:
        rows, columns, _ = manifest.film_input.shape
        films = golden_chests(rows, columns, manifest.preprocessing)
        answers = reference(manifest, (model.folder / manifest.onnx).read_bytes(), films)
        found[manifest.serving_version] = Golden.of(manifest, films, answers, target)
    return found

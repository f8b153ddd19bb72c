"""Put checked models where a server of this node reads them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hilum.serving.installed import read_installed, verify_artefacts
from hilum.serving.repository import Rendering, render_repository
from hilum_engine.golden import golden_by_version

if TYPE_CHECKING:
    from hilum.serving.target import Target

S3: Final = "s3://"


def install(source: str, target: Target, out: Path) -> tuple[Path, ...]:
    """Fetch a repository, hold every file against its manifest, render it for a target.

    What lies in ``out`` stays as it is until everything was fetched, checked and written beside it.

    Args:
        source: A folder, or ``s3://ACCESS:SECRET@host:port/bucket/prefix?secure=true``.
        target: Where the models will run; one that needs no engine.
        out: What a server reads; made if missing.

    Returns:
        The folders written.

    Raises:
        ValueError: The address is none; the text does not repeat it.
        InvalidManifest: There is no repository, or a file in it is not the one that was published.
        ObjectStoreUnavailable: The bucket cannot be read.
        OSError: ``out`` cannot be written.
    """
    if not source.startswith(S3):
        return _render(Path(source), target, out)
    # Only where it is wanted is the S3 client needed.
    from hilum_engine.model_bucket import ModelBucket  # noqa: PLC0415

    bucket = ModelBucket.open(source)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=out) as folder:
        bucket.fetch(Path(folder))
        return _render(Path(folder), target, out)


def _render(source: Path, target: Target, out: Path) -> tuple[Path, ...]:
    renderings = {}
    for model in read_installed(source):
        verify_artefacts(model)
        golden = golden_by_version(model, target)
        renderings[model.newest.name] = Rendering(target, golden=golden)
    return render_repository(source, out, renderings)

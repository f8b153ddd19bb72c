"""Everything is lost and comes back: backups made under load, on real servers."""

from __future__ import annotations

import io
import json
import shutil
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from benchmarks.rehearsal import Rehearsal
from benchmarks.restore import show
from hilum.imaging.phantom import phantom_film
from hilum_stack.errors import ServerMissing
from hilum_stack.real import RealStack
from tests.grey_networks import write_grey_repository
from tests.servers import run_folder, server_missing

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.real

_HASTE = {
    "HILUM_QUEUE_LEASE_SECONDS": "4",
    "HILUM_QUEUE_RECONCILE_SECONDS": "1",
    "HILUM_QUEUE_BACKOFF_BASE_SECONDS": "0.5",
    "HILUM_QUEUE_BACKOFF_CAP_SECONDS": "2",
}
BEFORE, AFTER = 12, 3


def new_films() -> Iterator[bytes]:
    """Phantom films, PNG, no two alike."""
    for seed in count(1):
        pixels = phantom_film(320, 256, seed=seed).copy()
        pixels[0, :4] = np.frombuffer(seed.to_bytes(4, "big"), dtype=np.uint8)
        encoded = io.BytesIO()
        Image.fromarray(pixels).save(encoded, "PNG")
        yield encoded.getvalue()


@pytest.fixture
def rehearsal() -> Iterator[Rehearsal]:
    """A platform with films flowing into it."""
    with run_folder() as folder:
        try:
            for server in RealStack(folder / "check").servers:
                server.require_installed()
            for program in ("pg_dump", "pg_restore"):
                if shutil.which(program) is None:
                    raise ServerMissing("PostgreSQL's client", f"`{program}` is not on the PATH")  # noqa: TRY301 - told as the others are
        except ServerMissing as missing:
            server_missing(missing)
        models = write_grey_repository(folder / "models")
        with Rehearsal(folder, new_films(), models, _HASTE) as running:
            yield running


def test_a_lost_platform_comes_back(rehearsal: Rehearsal) -> None:
    """Films, results, heatmaps and audit log are as they were; what came later is what is lost."""
    rehearsal.send(BEFORE)
    rehearsal.back_up_first()
    rehearsal.back_up_under_load(at_least_after=AFTER)
    rehearsal.settle()
    before = rehearsal.contents()
    read = [film for film in rehearsal.sent if film.answered < rehearsal.backup_begun]
    assert len(read) >= BEFORE
    pictures = {film.job_id: pictures_of(rehearsal, film.job_id) for film in read[:3]}
    refused = rehearsal.hilum("backup", "restore")
    assert refused.returncode == 1
    assert "restore_refused" in refused.stderr
    assert rehearsal.contents() == before

    rehearsal.lose_everything()
    rehearsal.restore()

    now = rehearsal.contents()
    lost = [film for film in rehearsal.sent if film.job_id not in now.states]
    assert all(film.answered > rehearsal.backup_begun for film in lost)
    assert len(lost) >= AFTER
    head = rehearsal.manifest["database"]["audit"]["sequence"]
    assert head > 2 * BEFORE
    assert now.audit[:head] == before.audit[:head]
    rehearsal.settle()
    now = rehearsal.contents()
    kept = [film for film in rehearsal.sent if film.job_id in now.states]
    assert len(kept) >= len(read)
    for film in kept:
        assert now.states[film.job_id] == "completed"
        assert findings(now.results[film.job_id]) == findings(before.results[film.job_id])
        status, original = rehearsal.get(f"/v1/jobs/{film.job_id}/original")
        assert (status, original) == (200, film.content)
    for film in read:
        assert now.results[film.job_id] == before.results[film.job_id]
    assert {job_id: pictures_of(rehearsal, job_id) for job_id in pictures} == pictures
    assert rehearsal.hilum("audit", "verify").returncode == 0
    show(rehearsal.figures)


def findings(result: dict[str, object]) -> object:
    """What was read of a film, whenever it was."""
    return {name: value for name, value in result.items() if name != "created_at"}


def pictures_of(rehearsal: Rehearsal, job_id: str) -> list[bytes]:
    """Every heatmap of a job."""
    job = json.loads(rehearsal.get(f"/v1/jobs/{job_id}")[1])
    pictures = []
    for panel in job["result"]["panels"]:
        for finding in panel["findings"]:
            path = f"/v1/jobs/{job_id}/heatmaps/{panel['panel']}/{finding['label']}.png"
            status, picture = rehearsal.get(path)
            if status == 200:
                pictures.append(picture)
    assert pictures
    return pictures

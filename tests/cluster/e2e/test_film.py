"""An installation on the real node reads films, and reads them as `make demo` does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from hilum_stack.embedded import EmbeddedStack
from hilum_stack.films import choose_films
from tests.cluster.e2e.films import COLLECTION
from tests.cluster.e2e.readings import assert_alike, read_film

if TYPE_CHECKING:
    from tests.cluster.e2e.installation import Installation


def test_helm_test_passes(installation: Installation) -> None:
    """A film of each priority goes through the whole installation, as the chart tests itself."""
    assert "the installation works" in installation.release.test()


def test_a_film_is_read_as_the_demo_reads_it(
    installation: Installation, api: httpx.Client, tmp_path: Path
) -> None:
    """Findings, boxes and heatmaps through Triton in pods equal those of the embedded stack."""
    films = [Path(film) for film in choose_films([], COLLECTION, tmp_path)]
    demo = EmbeddedStack(tmp_path / "demo")
    boxes = 0
    try:
        demo.start()
        headers = {"Authorization": f"Bearer {demo.api_key}"}
        with httpx.Client(base_url=demo.url, headers=headers, timeout=60.0) as at_home:
            for film in films:
                reading = read_film(api, film)
                assert_alike(reading, read_film(at_home, film))
                boxes += sum(len(finding["boxes"]) for finding in reading.findings.values())
    finally:
        demo.stop()
    # Films that are drawn, where there is no collection, show nothing that a panel would call.
    assert boxes or not COLLECTION.is_dir()

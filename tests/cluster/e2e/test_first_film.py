"""An installation on the real node reads films."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cluster.e2e.installation import Installation


def test_helm_test_passes(installation: Installation):
    """A film of each priority goes through the whole installation."""
    told = installation.release.test()

    assert "Phase:          Succeeded" in told or "Succeeded" in told

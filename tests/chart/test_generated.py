"""What is generated from the values' comments is up to date; rendering hangs on nothing else."""

from __future__ import annotations

import subprocess

import pytest

from tests.chart.rendering import CHART, ROOT, render


def test_schema_and_readme_come_from_the_values():
    """`make chart-check` finds nothing to write."""
    done = subprocess.run(
        ["make", "--silent", "chart-check"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["air-gapped", "national-screening"])
def test_with_given_secrets_and_certificates_nothing_is_drawn_by_chance(name):
    """So Argo CD, which renders without a cluster to look into, sees no change."""
    profile = CHART / "ci" / f"{name}-values.yaml"
    assert render(profile).text == render(profile).text

"""Helm, for tests: one release of the chart in a namespace."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from tests.cluster.commands import output_of
from tests.cluster.errors import CommandFailed
from tests.cluster.paths import PROGRAMS, ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.cluster.kubectl import Manifest

CHART = ROOT / "helm" / "hilum"
PROFILES = sorted((CHART / "ci").glob("*-values.yaml"))
# Generous: the machine may be busy, and a wait ends as soon as all is ready.
_PATIENCE = ("--wait", "--timeout", "10m")


@dataclass(frozen=True, slots=True)
class Release:
    """One release, with one of the two Helms.

    Attributes:
        helm: ``helm3`` or ``helm4``.
        namespace: Where it is installed.
        name: Of the release.
        values: Files of values; the later win.
        sets: Single values on top of them.
    """

    helm: str
    namespace: str
    name: str = "hilum"
    values: Sequence[Path] = ()
    sets: Mapping[str, str] = field(default_factory=dict)

    def install(self, chart: Path = CHART, *further: str) -> str:
        """``helm install --wait``; returns what it tells the person.

        Raises:
            CommandFailed: It is refused, or not ready in time.
        """
        return self._run("install", self.name, chart, *self._given(), *_PATIENCE, *further)

    def upgrade(self, chart: Path = CHART, *further: str) -> str:
        """``helm upgrade --wait``."""
        return self._run("upgrade", self.name, chart, *self._given(), *_PATIENCE, *further)

    def rollback(self, revision: int) -> str:
        """``helm rollback --wait``."""
        return self._run("rollback", self.name, str(revision), *_PATIENCE)

    def uninstall(self) -> str:
        """``helm uninstall --wait``; returns what it says was kept."""
        return self._run("uninstall", self.name, *_PATIENCE)

    def test(self) -> str:
        """``helm test``, with the logs of its pods."""
        return self._run("test", self.name, "--logs", "--timeout", "10m")

    def render(self, chart: Path = CHART) -> list[Manifest]:
        """What would be installed, as this cluster's API server is asked for it."""
        dry = ("--dry-run=server", "--output", "json")
        told = json.loads(self._run("install", self.name, chart, *self._given(), *dry))
        return [one for one in yaml.safe_load_all(told["manifest"]) if one]

    def is_installed(self) -> bool:
        """Whether Helm knows of it in this namespace."""
        try:
            self._run("status", self.name)
        except CommandFailed:
            return False
        return True

    def manifests(self) -> list[Manifest]:
        """What the release consists of, hooks left out."""
        text = self._run("get", "manifest", self.name)
        return [one for one in yaml.safe_load_all(text) if one]

    def revisions(self) -> list[dict[str, object]]:
        """Its history, the oldest first."""
        told: list[dict[str, object]] = json.loads(
            self._run("history", self.name, "--output", "json")
        )
        return told

    def _given(self) -> list[str | Path]:
        files: list[str | Path] = [word for file in self.values for word in ("--values", file)]
        return [
            *files,
            *(word for key, value in self.sets.items() for word in ("--set", f"{key}={value}")),
        ]

    def _run(self, *argv: str | Path) -> str:
        return output_of(PROGRAMS / self.helm, *argv, "--namespace", self.namespace)


def package(chart: Path, folder: Path, version: str) -> Path:
    """Packages a chart under another version (its app's version too); returns the archive."""
    output_of(
        *(PROGRAMS / "helm3", "package", chart, "--destination", folder),
        *("--version", version, "--app-version", version),
    )
    return folder / f"{chart.name}-{version}.tgz"

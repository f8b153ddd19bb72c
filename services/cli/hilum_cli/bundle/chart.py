"""The chart, by way of helm: which images it names, and its package."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from hilum_cli.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROGRAMS: Final = ("helm", "helm4", "helm3")


def find_helm(asked: str | None = None) -> str:
    """The helm to call.

    Raises:
        Failure: There is none.
    """
    found = next((name for name in ([asked] if asked else PROGRAMS) if shutil.which(name)), None)
    if found is None:
        raise Failure(f"{asked or 'helm'} is not on the PATH: install Helm 3 or 4, or pass --helm")
    return found


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, and the values of a site.

    Attributes:
        helm: The program.
        path: The chart: a folder or a package.
        values: Files, the later ones over the earlier.
        kubernetes: Version to render for; which one helm takes by itself depends on its build.
    """

    helm: str
    path: Path
    values: Sequence[Path]
    kubernetes: str

    def rendered(self) -> str:
        """The manifests, with the images under the names that they have outside of any mirror.

        Raises:
            Failure: helm refuses the chart or the values.
        """
        files = [f"--values={path}" for path in self.values]
        # A site's values name its mirror, which is what the archive is to fill.
        own_names = "--set=image.registry="
        version = f"--kube-version={self.kubernetes}"
        return self._run("template", "hilum", str(self.path), *files, own_names, version)

    def package(self, folder: Path) -> Path:
        """The chart's package, written into a folder.

        Raises:
            Failure: helm refuses the chart.
        """
        if self.path.is_file():
            return Path(shutil.copy2(self.path, folder))
        self._run("package", str(self.path), f"--destination={folder}")
        (package,) = folder.glob("*.tgz")
        return package

    def about(self) -> Mapping[str, Any]:
        """Chart.yaml.

        Raises:
            Failure: helm refuses the chart.
        """
        return _mapping(self._run("show", "chart", str(self.path)))

    def image_values(self) -> Mapping[str, Any]:
        """``images`` of the values: the chart's own, and what the site's files say over them.

        Raises:
            Failure: helm refuses the chart, or a file is no YAML.
        """
        merged = dict(_mapping(self._run("show", "values", str(self.path))).get("images") or {})
        for path in self.values:
            for key, given in (_mapping(_text(path)).get("images") or {}).items():
                merged[key] = {**(merged.get(key) or {}), **(given or {})}
        return merged

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [self.helm, *arguments], check=False, capture_output=True, text=True, errors="replace"
        )
        if done.returncode:
            raise Failure(f"helm {arguments[0]} failed: {done.stderr.strip()}")
        return done.stdout


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{path} cannot be read: {error}") from error


def _mapping(text: str) -> dict[str, Any]:
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Failure(f"no YAML: {error}") from error
    return document if isinstance(document, dict) else {}

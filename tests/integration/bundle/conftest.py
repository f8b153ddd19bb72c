"""A small chart, images for it, and the programs that a bundle needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from hilum_cli.main import hilum
from hilum_stack.errors import ServerMissing
from hilum_stack.health import is_healthy
from hilum_stack.paths import CACHE
from hilum_stack.ports import LOOPBACK, reserve_port
from hilum_stack.process import Command, SupervisedProcess
from tests.oci_images import write_oci_archive
from tests.servers import server_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from click.testing import Result

PLACES = (CACHE / "bin", CACHE / "cluster" / "bin")
VALUES = """
image: {registry: ""}
images:
  gateway: {registry: docker.io, repository: hilum-test/gateway, tag: "", digest: ""}
  worker: {registry: docker.io, repository: hilum-test/worker, tag: "0.2.0", digest: ""}
"""
POD = """
{{- range $key, $image := .Values.images }}
{{- $registry := default $image.registry $.Values.image.registry }}
{{- $which := printf ":%s" (default $.Chart.AppVersion $image.tag) }}
{{- with $image.digest }}{{ $which = printf "@%s" . }}{{ end }}
apiVersion: v1
kind: Pod
metadata: {name: {{ $key }}}
spec:
  containers:
    - name: {{ $key }}
      image: {{ $registry }}/{{ $image.repository }}{{ $which }}
---
{{- end }}
"""


def need(*names: str) -> str:
    """The path of the first of these programs that is there; skips or fails without."""
    path = os.pathsep.join([os.environ["PATH"], *map(str, PLACES)])
    found = next((where for name in names if (where := shutil.which(name, path=path))), None)
    if found is None:
        also = "; helm: `make chart-tools`" if names[0] == "helm" else ""
        server_missing(ServerMissing(names[0], f"`{names[0]}` is nowhere on the PATH{also}"))
    return found


@dataclass
class Site:
    """A folder in which a bundle is made: chart, image archives, and the command."""

    folder: Path
    helm: str
    digests: dict[str, str] = field(default_factory=dict)

    @property
    def chart(self) -> Path:
        return self.folder / "chart-source"

    @property
    def archives(self) -> list[Path]:
        return sorted((self.folder / "given").glob("*.tar"))

    def write_chart(self) -> None:
        (self.chart / "templates").mkdir(parents=True)
        (self.chart / "Chart.yaml").write_text(
            'apiVersion: v2\nname: hilum\nversion: 0.2.0\nappVersion: "0.2.0"\n'
        )
        (self.chart / "values.yaml").write_text(VALUES)
        (self.chart / "templates" / "pods.yaml").write_text(POD)

    def write_images(self) -> None:
        (self.folder / "given").mkdir()
        for name in ("gateway", "worker"):
            path = self.folder / "given" / f"{name}.tar"
            self.digests[name] = write_oci_archive(
                path, f"localhost/hilum-test/{name}:0.2.0", name.encode()
            )

    def bundle(self, *arguments: object) -> Result:
        """Run ``hilum bundle`` with the chart."""
        given = ["bundle", "--helm", self.helm, "--chart", self.chart, *arguments]
        return CliRunner().invoke(hilum, [str(argument) for argument in given])

    def made(self, *arguments: object) -> Path:
        """A bundle of both images, unpacked."""
        out = self.folder / "hilum-0.2.0.tar"
        images = [word for path in self.archives for word in ("--image-archive", path)]
        done = self.bundle("--out", out, *images, *arguments)
        assert done.exit_code == 0, done.output
        with tarfile.open(out) as archive:
            archive.extractall(self.folder / "unpacked", filter="data")
        return self.folder / "unpacked" / "hilum-0.2.0"

    def load(self, bundle: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run the bundle's own load.sh."""
        command = ["sh", str(bundle / "load.sh"), *(str(argument) for argument in arguments)]
        path = os.pathsep.join([os.environ["PATH"], *map(str, PLACES)])
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path, need("helm", "helm3", "helm4"))
    made.write_chart()
    made.write_images()
    return made


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """A registry on this machine: crane's own, which speaks plain HTTP."""
    port = reserve_port()
    program = need("crane")
    command = Command(
        "registry",
        (program, "registry", "serve", "--address", f"{LOOPBACK}:{port}"),
        tmp_path / "registry.log",
    )
    with SupervisedProcess(command) as process:
        process.wait_ready(lambda: is_healthy(port, "/v2/"))
        yield f"{LOOPBACK}:{port}/mirror"


@pytest.fixture
def crane() -> Callable[..., str]:
    """Asks a registry."""
    program = need("crane")

    def ask(*arguments: str) -> str:
        done = subprocess.run(
            [program, *arguments, "--insecure"], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    return ask

"""The Go programs of the cluster and of the chart's checks: what is built, and from what.

A program carries its own mark: the Go linker writes the module, its version and the linker's
flags into every binary, and ``go version -m`` reads them. So a changed version here is built
anew, and nothing else is.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cluster.commands import output_of
from tests.cluster.errors import ClusterError, CommandFailed
from tests.cluster.locks import alone
from tests.cluster.paths import CACHE, MODULES, PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Iterable

KEDA = "v2.21.0"
KEDA_MODULE = "github.com/kedacore/keda/v2"
KUBERNETES = "v1.36.3"
_KUBERNETES_MINOR = "36"
# Built from a module, Kubernetes would call itself v0.0.0: charts that ask for a version refuse it.
_KUBERNETES_FLAGS = " ".join(
    f"-X k8s.io/component-base/version.{name}={value}"
    for name, value in (
        ("gitVersion", KUBERNETES),
        ("gitMajor", "1"),
        ("gitMinor", _KUBERNETES_MINOR),
        ("gitTreeState", "clean"),
    )
)


@dataclass(frozen=True, slots=True)
class Program:
    """One Go program.

    Attributes:
        name: Its file under ``.cache/cluster/bin``.
        module: The Go module that holds it.
        version: Version of the module.
        package: Folder of its main package in the module; empty: the module's root.
        workspace: Folder under ``tests/cluster/modules`` whose go.mod builds it. Needed for modules
            whose own go.mod has ``replace`` lines, which ``go install package@version`` refuses.
        flags: For the linker.
    """

    name: str
    module: str
    version: str
    package: str = ""
    workspace: str = ""
    flags: str = ""

    @property
    def path(self) -> Path:
        """Where it lies once it is built."""
        return PROGRAMS / self.name

    @property
    def import_path(self) -> str:
        """As ``go install`` wants it, without the version."""
        return f"{self.module}/{self.package}" if self.package else self.module

    @property
    def marks(self) -> tuple[str, ...]:
        """What ``go version -m`` says of the right build."""
        return (f"\t{self.module}\t{self.version}", *([self.flags] if self.flags else []))


def _kubernetes(name: str) -> Program:
    return Program(
        name,
        "k8s.io/kubernetes",
        KUBERNETES,
        f"cmd/{name}",
        workspace="kubernetes",
        flags=_KUBERNETES_FLAGS,
    )


HELM_PROGRAMS = (
    Program("helm3", "helm.sh/helm/v3", "v3.22.0", "cmd/helm"),
    Program("helm4", "helm.sh/helm/v4", "v4.3.1", "cmd/helm"),
)
# For the checks of the chart that need no cluster.
CHART_PROGRAMS = (
    *HELM_PROGRAMS,
    Program("helm-docs", "github.com/norwoodj/helm-docs", "v1.14.2", "cmd/helm-docs"),
    Program("kubeconform", "github.com/yannh/kubeconform", "v0.8.0", "cmd/kubeconform"),
    Program("kube-score", "github.com/zegl/kube-score", "v1.20.0", "cmd/kube-score"),
)
# What a running cluster needs.
CLUSTER_PROGRAMS = (
    *HELM_PROGRAMS,
    *map(
        _kubernetes,
        (
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kubelet",
            "kube-proxy",
            "kubectl",
        ),
    ),
    *(
        Program(name, "github.com/containerd/containerd/v2", "v2.4.2", f"cmd/{name}")
        for name in ("containerd", "containerd-shim-runc-v2", "ctr")
    ),
    Program("kwok", "sigs.k8s.io/kwok", "v0.8.0", "cmd/kwok"),
    Program("coredns", "github.com/coredns/coredns", "v1.15.0"),
)
# What scales workers in the nightly test; it takes as long to build as Kubernetes.
KEDA_PROGRAMS = tuple(
    Program(f"keda-{name}", KEDA_MODULE, KEDA, f"cmd/{name}", workspace="keda")
    for name in ("operator", "adapter")
)


def build(programs: Iterable[Program]) -> None:
    """Builds what is missing or of another version, one after the other; tells each in a line.

    Two builds on one checkout wait for each other.

    Raises:
        ClusterError: Go is not installed, or a build failed.
    """
    with alone(CACHE / "build.lock"):
        for program in programs:
            if is_built(program):
                print(f"{program.name} {program.version}: there", flush=True)  # noqa: T201 - a command prints
                continue
            began = time.monotonic()
            _install(program)
            took = time.monotonic() - began
            print(f"{program.name} {program.version}: built in {took:.0f} s", flush=True)  # noqa: T201 - same


def is_built(program: Program) -> bool:
    """Whether the binary is there and is of this version, built with these flags."""
    if not program.path.is_file():
        return False
    told = output_of(_go(), "version", "-m", program.path)
    return all(mark in told for mark in program.marks)


def require(programs: Iterable[Program], target: str = "cluster-tools") -> None:
    """Checks that programs are there (of whatever version).

    Args:
        programs: What is needed.
        target: Of make; builds them.

    Raises:
        ClusterError: One is missing.
    """
    missing = [program.name for program in programs if not program.path.is_file()]
    if missing:
        raise ClusterError(f"{', '.join(missing)}: not built; run `make {target}`")


def module_folder(module: str, version: str) -> Path:
    """Folder of a module's source in Go's cache; fetched when it is not there.

    Raises:
        ClusterError: It cannot be fetched.
    """
    template = "{{.Dir}}"
    with tempfile.TemporaryDirectory() as folder:
        # A go.mod of its own: a replace line of a workspace must not reach here.
        (Path(folder) / "go.mod").write_text(
            f"module fetched\n\ngo 1.24\n\nrequire {module} {version}\n"
        )
        env = {**os.environ, "GOFLAGS": "-mod=mod"}
        try:
            output_of(_go(), "mod", "download", f"{module}@{version}", folder=Path(folder), env=env)
            told = output_of(
                _go(), "list", "-m", "-f", template, module, folder=Path(folder), env=env
            )
        except CommandFailed as error:
            raise ClusterError(f"{module} {version} cannot be fetched: {error}") from error
    return Path(told.strip())


def _install(program: Program) -> None:
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as drafts:
        env = {**os.environ, "GOBIN": drafts, "GOFLAGS": "-buildvcs=false"}
        argv = [_go(), "install", *(["-ldflags", program.flags] if program.flags else [])]
        if program.workspace:
            output_of(*argv, program.import_path, env=env, folder=MODULES / program.workspace)
        else:
            output_of(*argv, f"{program.import_path}@{program.version}", env=env, folder=CACHE)
        (built,) = Path(drafts).iterdir()  # helm's two versions have one name
        built.replace(program.path)


def _go() -> str:
    found = shutil.which("go")
    if found is None:
        raise ClusterError("Go is not installed: the cluster's programs are built with it")
    return found

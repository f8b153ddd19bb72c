"""The custom resources that the chart uses, as their own projects define them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.cluster.programs import KEDA, KEDA_MODULE, module_folder

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Definitions:
    """Where a project keeps its CustomResourceDefinitions.

    Attributes:
        module: Its Go module.
        version: Version of the module.
        folder: Of the files, in the module.
    """

    module: str
    version: str
    folder: str


PROJECTS = {
    "keda": Definitions(KEDA_MODULE, KEDA, "config/crd/bases"),
    "cert-manager": Definitions("github.com/cert-manager/cert-manager", "v1.21.2", "deploy/crds"),
    "prometheus-operator": Definitions(
        "github.com/prometheus-operator/prometheus-operator",
        "v0.85.0",
        "example/prometheus-operator-crd",
    ),
    "gateway-api": Definitions("sigs.k8s.io/gateway-api", "v1.6.0", "config/crd/standard"),
    "cloudnative-pg": Definitions(
        "github.com/cloudnative-pg/cloudnative-pg", "v1.28.0", "config/crd/bases"
    ),
    "external-secrets": Definitions(
        "github.com/external-secrets/external-secrets", "v1.3.2", "config/crds/bases"
    ),
}
USED_BY_THE_CHART = {
    "backendtlspolicies",
    "certificates",
    "clusterissuers",
    "clusters",
    "externalsecrets",
    "gateways",
    "httproutes",
    "issuers",
    "podmonitors",
    "prometheusrules",
    "scaledobjects",
    "servicemonitors",
    "triggerauthentications",
}


def crd_files(project: str) -> list[Path]:
    """Files with one CustomResourceDefinition each, from Go's module cache; fetched when needed.

    Args:
        project: A key of ``PROJECTS``.

    Raises:
        ClusterError: The module cannot be fetched.
    """
    source = PROJECTS[project]
    folder = module_folder(source.module, source.version) / source.folder
    files = [
        file
        for file in sorted(folder.glob("*.yaml"))
        if "\nkind: CustomResourceDefinition\n" in file.read_text(encoding="utf-8")
    ]
    if not files:
        raise FileNotFoundError(f"{source.module} {source.version} has no definitions in {folder}")
    return files


def files_of_the_chart() -> list[Path]:
    """Those that the chart and ``k8s/`` use; each one more costs the API server a second."""
    files = [file for project in PROJECTS for file in crd_files(project)]
    # A file is named GROUP_PLURAL.yaml in every project.
    return [file for file in files if file.stem.partition("_")[2] in USED_BY_THE_CHART]

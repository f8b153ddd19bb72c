"""What the chart makes of a profile: ``helm template``, read back."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.cluster.paths import PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "helm" / "hilum"
PROFILES = sorted(CHART.glob("ci/*-values.yaml"))
NAMESPACE = "hilum-rendered"
RELEASE = "hilum"

API_VERSIONS = (
    "cert-manager.io/v1",
    "external-secrets.io/v1",
    "gateway.networking.k8s.io/v1",
    "keda.sh/v1alpha1",
    "monitoring.coreos.com/v1",
    "postgresql.cnpg.io/v1",
)
"""What a cluster with everything of ``k8s/`` tells Helm that it knows."""

_TEMPLATE_PATHS = {
    "Pod": ("spec",),
    "Deployment": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
    "DaemonSet": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}


class Refused(Exception):
    """Helm did not render; the text is what it told."""


@dataclass(frozen=True, slots=True)
class PodTemplate:
    """The pods that one object makes.

    Attributes:
        owner: ``Kind/name`` of the object.
        labels: Of the pods.
        annotations: Of the pods.
        spec: Of the pods.
    """

    owner: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    spec: Mapping[str, Any]

    @property
    def component(self) -> str:
        """Which part of Hilum."""
        return self.labels["app.kubernetes.io/component"]

    def containers(self) -> Iterator[Mapping[str, Any]]:
        """Every container, those of the start included."""
        yield from self.spec.get("initContainers", ())
        yield from self.spec["containers"]

    def lasting_containers(self) -> Iterator[Mapping[str, Any]]:
        """Containers that run as long as the pod: its own, and sidecars."""
        for container in self.spec.get("initContainers", ()):
            if container.get("restartPolicy") == "Always":
                yield container
        yield from self.spec["containers"]


@dataclass(frozen=True, slots=True)
class Rendered:
    """Every object of a release.

    Attributes:
        text: As Helm printed it.
        objects: Each document.
    """

    text: str
    objects: Sequence[Mapping[str, Any]]

    def of_kind(self, *kinds: str) -> list[Mapping[str, Any]]:
        """Objects of these kinds."""
        return [one for one in self.objects if one["kind"] in kinds]

    def named(self, kind: str, name: str) -> Mapping[str, Any]:
        """One object.

        Raises:
            KeyError: There is none.
        """
        for one in self.of_kind(kind):
            if one["metadata"]["name"] == name:
                return one
        raise KeyError(f"{kind}/{name}")

    def pods(self) -> list[PodTemplate]:
        """The pods of every object that makes some."""
        made = []
        for one in self.of_kind(*_TEMPLATE_PATHS):
            path = _TEMPLATE_PATHS[one["kind"]]
            holder = one
            for step in path[:-1]:
                holder = holder[step]
            meta = holder["metadata"]
            made.append(
                PodTemplate(
                    owner=f"{one['kind']}/{one['metadata']['name']}",
                    labels=meta.get("labels", {}),
                    annotations=meta.get("annotations", {}),
                    spec=holder[path[-1]],
                )
            )
        return made


def render(
    *values: Path,
    sets: Mapping[str, str] | None = None,
    helm: str = "helm3",
    kube_version: str = "1.36.0",
    api_versions: Sequence[str] = API_VERSIONS,
) -> Rendered:
    """Render the chart.

    Args:
        values: Files of values, the later win.
        sets: Single values, as ``--set`` takes them.
        helm: Which Helm.
        kube_version: The cluster's.
        api_versions: What the cluster serves beside Kubernetes's own.

    Raises:
        Refused: Helm did not render.
    """
    command = [
        str(PROGRAMS / helm),
        *("template", RELEASE, str(CHART)),
        *("--namespace", NAMESPACE, "--kube-version", kube_version),
        *(word for file in values for word in ("--values", str(file))),
        *(word for pair in (sets or {}).items() for word in ("--set", "=".join(pair))),
        *(word for version in api_versions for word in ("--api-versions", version)),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise Refused(done.stderr)
    objects = [one for one in yaml.load_all(done.stdout, Loader=_loader()) if one]
    return Rendered(done.stdout, objects)


def _loader() -> type[yaml.SafeLoader]:
    # libyaml where it is there: some renderings are ten thousand lines.
    loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return loader

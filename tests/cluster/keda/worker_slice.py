"""One Deployment of workers and what scales it, as the cluster shows them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from tests.cluster.patience import wait_long

if TYPE_CHECKING:
    from tests.cluster.kubectl import Kubectl

_API = "/apis/external.metrics.k8s.io/v1beta1"


@dataclass(frozen=True, slots=True)
class WorkerSlice:
    """One slice of a release that is called ``hilum``.

    Attributes:
        kubectl: A client for the release's namespace.
        name: Of the slice.
    """

    kubectl: Kubectl
    name: str

    @property
    def object_name(self) -> str:
        """Of the Deployment and of the ScaledObject."""
        return f"hilum-worker-{self.name}"

    @property
    def replicas(self) -> int:
        """Pods that the Deployment is told to have."""
        return int(self.kubectl.get("deployment", self.object_name)["spec"]["replicas"])

    @property
    def ready(self) -> int:
        """Pods that are ready."""
        status = self.kubectl.get("deployment", self.object_name)["status"]
        return int(status.get("readyReplicas", 0))

    @property
    def jobs_per_pod(self) -> str:
        """What the autoscaler of Kubernetes read last, in its own notation; empty: nothing yet."""
        status = self.kubectl.get("hpa", f"keda-hpa-{self.object_name}")["status"]
        metrics = status.get("currentMetrics") or []
        return "".join(metric["external"]["current"]["averageValue"] for metric in metrics)

    @property
    def jobs(self) -> int:
        """What KEDA's metrics API says of the slice."""
        label = quote(f"scaledobject.keda.sh/name={self.object_name}")
        path = f"{_API}/namespaces/{self.kubectl.namespace}/s0-postgresql?labelSelector={label}"
        (item,) = json.loads(self.kubectl.run("get", "--raw", path))["items"]
        return int(item["value"])

    def condition(self, name: str) -> str:
        """Status of a condition of the ScaledObject: True, False, Unknown; empty: it has none."""
        status = self.kubectl.get("scaledobject", self.object_name).get("status", {})
        return "".join(one["status"] for one in status.get("conditions", ()) if one["type"] == name)

    def wait_for_condition(self, name: str, status: str) -> None:
        """Waits until a condition of the ScaledObject is so."""
        what = f"{name} of {self.object_name} to be {status}"
        wait_long(lambda: self.condition(name) == status, what)

    def wait_until_the_count_is(self, known: str) -> None:
        """Waits until Kubernetes can, or cannot, read the number of jobs.

        Args:
            known: True or False, as the HorizontalPodAutoscaler's ``ScalingActive`` says it.
        """
        name, kind = f"keda-hpa-{self.object_name}", "ScalingActive"

        def told() -> set[str]:
            conditions = self.kubectl.get("hpa", name)["status"].get("conditions", ())
            return {one["status"] for one in conditions if one["type"] == kind}

        wait_long(lambda: told() == {known}, f"{kind} of {name} to be {known}")

    def wait_for_pods(self, count: int) -> None:
        """Waits until the Deployment is told to have so many pods and has them.

        Raises:
            AssertionError: It never had; with what the cluster says of it and of its autoscaler.
        """
        what = f"{self.object_name} to have {count} pods"
        try:
            wait_long(lambda: self.replicas == count == self.ready, what)
        except AssertionError as error:
            concerned = (
                f"deployment/{self.object_name}",
                f"scaledobject/{self.object_name}",
                f"hpa/keda-hpa-{self.object_name}",
            )
            raise AssertionError(f"{error}\n{self.kubectl.run('describe', *concerned)}") from error

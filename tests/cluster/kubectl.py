"""kubectl, for tests: applies, reads and waits."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.cluster.commands import output_of
from tests.cluster.errors import CommandFailed
from tests.cluster.patience import wait_long

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kubectl:
    """The client, for one namespace; ``KUBECONFIG`` says where the cluster is.

    Attributes:
        namespace: Of every call that has one.
    """

    namespace: str = "default"

    def run(self, *argv: str | Path, given: str | None = None) -> str:
        """Runs kubectl and returns what it printed.

        Raises:
            CommandFailed: The API server (or kubectl) refuses; with its reason.
        """
        return output_of("kubectl", "--namespace", self.namespace, *argv, given=given)

    def apply(self, *manifests: Manifest) -> None:
        """Makes or changes objects.

        Raises:
            CommandFailed: One is refused; with the reason.
        """
        listed = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self.run("apply", "-f", "-", given=json.dumps(listed))

    def apply_files(self, files: Iterable[Path]) -> None:
        """Makes objects from files, on the server's side: large definitions need that."""
        named = [word for file in files for word in ("-f", file)]
        self.run("apply", "--server-side", *named)

    def get(self, kind: str, name: str) -> Manifest:
        """One object.

        Raises:
            CommandFailed: There is none.
        """
        found: Manifest = json.loads(self.run("get", kind, name, "--output", "json"))
        return found

    def items(self, kind: str, selector: str = "") -> list[Manifest]:
        """All objects of a kind (or of several, with commas) that have the labels.

        Args:
            kind: As kubectl takes it.
            selector: Label selector; empty: all.
        """
        chosen = ["--selector", selector] if selector else []
        listed = json.loads(self.run("get", kind, *chosen, "--output", "json"))
        items: list[Manifest] = listed["items"]
        return items

    def exists(self, kind: str, name: str) -> bool:
        """Whether the object is there."""
        return bool(self.run("get", kind, name, "--ignore-not-found", "--output", "name").strip())

    def phase(self, pod: str) -> str:
        """Phase of a pod: Pending, Running, Succeeded or Failed."""
        return str(self.get("pod", pod)["status"].get("phase", ""))

    def wait_until(self, kind: str, name: str, condition: str, within: str = "120s") -> None:
        """Waits for a condition, in kubectl's words: ``condition=Ready``, ``jsonpath=...``.

        Raises:
            AssertionError: It did not come; with what the cluster says of the object.
        """
        try:
            self.run("wait", f"{kind}/{name}", f"--for={condition}", f"--timeout={within}")
        except CommandFailed as error:
            told = self.run("describe", kind, name)
            raise AssertionError(f"{error}\n{told}") from error

    def wait_for_rollouts(self, within: str = "180s") -> None:
        """Waits until every Deployment and StatefulSet has all its pods, not only Helm's least.

        Helm 3 takes a Deployment for ready while as many pods are missing as its strategy allows.

        Raises:
            AssertionError: One has not; with what the cluster says of it and of its pods.
        """
        for one in self.items("deployments,statefulsets"):
            name = f"{one['kind'].lower()}/{one['metadata']['name']}"
            try:
                self.run("rollout", "status", name, f"--timeout={within}")
            except CommandFailed as error:
                told = self.run("describe", name) + self.run("describe", "pods")
                raise AssertionError(f"{error}\n{told}") from error

    def wait_for_phase(self, pod: str, phase: str) -> None:
        """Waits until a pod is in a phase."""
        wait_long(lambda: self.phase(pod) == phase, f"the pod {pod} to be {phase}")


@contextmanager
def restricted_namespace(name: str) -> Iterator[Kubectl]:
    """A fresh namespace that enforces Pod Security `restricted`; deleted at the end.

    Args:
        name: Of the namespace.
    """
    client = Kubectl(name)
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    metadata = {"name": name, "labels": labels}
    client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    # Pods are refused until a controller has made it, which takes a moment in a fresh cluster.
    wait_long(lambda: client.exists("serviceaccount", "default"), f"a service account in {name}")
    try:
        yield client
    finally:
        client.run("delete", "namespace", name, "--wait=false")

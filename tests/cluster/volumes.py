"""Persistent volumes: a folder on the node for each claim, and none when the claim is gone.

Kubernetes has no provisioner of its own for local volumes; this one watches claims, of whatever
storage class, and makes what an administrator would make by hand. The volumes may be used on every
node: simulated ones use nothing of them, and there is one real one.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

from tests.cluster.commands import output_of
from tests.cluster.errors import CommandFailed
from tests.cluster.part import environment
from tests.cluster.paths import PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_DEFAULT_CLASS = "local"
_ATTEMPTS = 20
_AGAIN_AFTER_S = 1.0
_CLAIMS = "/api/v1/persistentvolumeclaims"
_VOLUMES = "/api/v1/persistentvolumes"


def storage_class(name: str) -> dict[str, Any]:
    """A class that this provider serves, whatever a site's class of that name would be."""
    default = str(name == _DEFAULT_CLASS).lower()
    annotations = {"storageclass.kubernetes.io/is-default-class": default}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name, "annotations": annotations},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def persistent_claim(name: str, size: str = "1Gi") -> dict[str, Any]:
    """A claim of the default class, for one node at a time."""
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    kind = "PersistentVolumeClaim"
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "spec": wanted}


class VolumeProvider:
    """Two threads: one follows claims, one follows volumes."""

    def __init__(self, folder: Path, kubeconfig: Path) -> None:
        """Prepares it.

        Args:
            folder: Receives the volumes' folders.
            kubeconfig: Of somebody who may make and delete volumes.
        """
        self._folder = folder
        self._kubectl = (PROGRAMS / "kubectl", "--kubeconfig", kubeconfig)
        self._stopped = threading.Event()
        self._watches: dict[str, subprocess.Popen[str]] = {}

    def start(self) -> None:
        """Makes the storage class and starts to follow."""
        self._apply(storage_class(_DEFAULT_CLASS))
        self._follow(_CLAIMS, self._provide)
        self._follow(_VOLUMES, self._reclaim)

    def stop(self) -> None:
        """Stops following; volumes stay as they are."""
        self._stopped.set()
        for watch in self._watches.values():
            watch.kill()
            watch.wait()

    def _follow(self, path: str, act: Callable[[dict[str, Any]], None]) -> None:
        def read() -> None:
            # The API server ends every watch after a while.
            while not self._stopped.is_set():
                watch = self._watches[path] = self._watch(path)
                for line in watch.stdout or ():
                    event = json.loads(line)
                    if event["type"] in {"ADDED", "MODIFIED"}:
                        self._insist(act, event["object"])
                watch.wait()

        threading.Thread(target=read, daemon=True).start()

    def _insist(self, act: Callable[[dict[str, Any]], None], one: dict[str, Any]) -> None:
        """Tries again while the API server is too busy: a lost claim would hold up its pod."""
        for _ in range(_ATTEMPTS):
            try:
                act(one)
            except CommandFailed as error:
                print(f"volumes: {error}", file=sys.stderr, flush=True)  # noqa: T201 - its log
            else:
                return
            if self._stopped.wait(_AGAIN_AFTER_S):
                return

    def _watch(self, path: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*map(str, self._kubectl), "get", "--raw", f"{path}?watch=true&resourceVersion=0"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )

    def _provide(self, claim: dict[str, Any]) -> None:
        wanted = claim["spec"]
        if not wanted.get("storageClassName") or wanted.get("volumeName"):
            return
        meta = claim["metadata"]
        name = f"volume-{meta['uid']}"
        folder = self._folder / name
        folder.mkdir(parents=True, exist_ok=True)
        every_node = {"key": "kubernetes.io/hostname", "operator": "Exists"}
        self._apply(
            {
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": {"name": name},
                "spec": {
                    "storageClassName": wanted["storageClassName"],
                    "capacity": wanted["resources"]["requests"],
                    "accessModes": wanted["accessModes"],
                    "volumeMode": wanted.get("volumeMode", "Filesystem"),
                    "persistentVolumeReclaimPolicy": "Retain",
                    "claimRef": {
                        "apiVersion": "v1",
                        "kind": "PersistentVolumeClaim",
                        "namespace": meta["namespace"],
                        "name": meta["name"],
                        "uid": meta["uid"],
                    },
                    "local": {"path": str(folder)},
                    "nodeAffinity": {
                        "required": {"nodeSelectorTerms": [{"matchExpressions": [every_node]}]}
                    },
                },
            }
        )

    def _reclaim(self, volume: dict[str, Any]) -> None:
        name = volume["metadata"]["name"]
        released = volume.get("status", {}).get("phase") == "Released"
        if not released or volume["metadata"].get("deletionTimestamp"):
            return
        ignore = ("--wait=false", "--ignore-not-found")
        output_of(*self._kubectl, "delete", "persistentvolume", name, *ignore)
        shutil.rmtree(self._folder / name, ignore_errors=True)

    def _apply(self, manifest: dict[str, Any]) -> None:
        server = ("--server-side", "--force-conflicts", "--validate=false")
        output_of(*self._kubectl, "apply", *server, "-f", "-", given=json.dumps(manifest))

"""What kube-score advises, with a reason for each thing that is done otherwise."""

from __future__ import annotations

import json
import subprocess

from tests.cluster.paths import PROGRAMS

NOT_FOLLOWED = {
    "container-image-pull-policy": (
        "images are pinned by version or digest, so pulling one again gives the same; and a node"
        " without a way to the registry would not start"
    ),
    "container-security-context-user-group-id": (
        "OpenShift draws users and groups; elsewhere each image has the one that it was made for,"
        " and the group 0 of ours gives no right that others lack"
    ),
    "container-ephemeral-storage-request-and-limit": (
        "the root is read-only, and every emptyDir has a limit of its own"
    ),
    "statefulset-has-servicename": "one pod each: nobody needs the names of pods",
    "deployment-has-host-podantiaffinity": "topology spread says the same, and sites can relax it",
    "deployment-replicas": "single nodes, and pools of one GPU, have one pod on purpose",
    "horizontalpodautoscaler-replicas": "a small site begins with one worker",
    "networkpolicy-targets-pod": "CloudNativePG makes the pods that its policy is for",
    "service-type": "a site without an ingress controller reaches the gateway by a NodePort",
}


def test_what_kube_score_finds_has_a_reason(rendered):
    """A finding that is in no table fails; so a new one is either mended or explained."""
    done = subprocess.run(
        [
            PROGRAMS / "kube-score",
            *("score", "--output-format", "json", "--kubernetes-version", "v1.32", "-"),
        ],
        input=rendered.text,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("["), done.stderr
    found = {}
    for one in json.loads(done.stdout):
        for check in one["checks"]:
            if not check["skipped"] and check["grade"] <= 5:
                told = [comment["summary"] for comment in check["comments"] or ()]
                found.setdefault(check["check"]["id"], []).append((one["object_name"], told))
    assert {check: told for check, told in found.items() if check not in NOT_FOLLOWED} == {}

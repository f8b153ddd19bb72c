"""Memory and CPU of each container on a cluster, beside what the chart asks for it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
USAGE: Final = ROOT / ".cache" / "cluster" / "usage.json"
"""What the last `make cluster-e2e` on this machine measured while films flowed and pods died."""

PODS: Final = Path(__file__).with_name("pods.json")
PROFILE: Final = ROOT / "helm" / "hilum" / "ci" / "single-node-cpu-values.yaml"

_UNITS: Final = {"Mi": 1, "Gi": 1024}
_SHOWN: Final = ("gateway", "worker", "triton", "golden-film", "postgresql", "minio", "redis")


def collect(helm: str) -> dict[str, Any]:
    """What was measured, with requests and limits of the profile that it was measured on.

    Memory in MiB; CPU in thousandths of a core, as Kubernetes counts it: the mean while films
    flowed, and the highest over five seconds.

    Args:
        helm: The program.
    """
    measured = json.loads(USAGE.read_text(encoding="utf-8"))
    asked = _asked(helm)
    return {
        "films": measured["films"],
        "seconds": measured["seconds"],
        "containers": {
            name: {**_used(measured["containers"][name]), **asked[name]} for name in _SHOWN
        },
    }


def _used(one: dict[str, Any]) -> dict[str, float]:
    return {
        "peak_mib": one["peak_mib"],
        "cpu_mean_m": round(one["mean_cores"] * 1000),
        "cpu_peak_m": round(one["peak_cores"] * 1000),
        "throttled_percent": one["throttled_percent"],
    }


def _asked(helm: str) -> dict[str, dict[str, int]]:
    done = subprocess.run(
        [
            *(helm, "template", "hilum", str(ROOT / "helm" / "hilum")),
            *("--kube-version", "1.36.0", "--values", str(PROFILE)),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    asked = {}
    for one in yaml.safe_load_all(done.stdout):
        if not one or one["kind"] not in {"Deployment", "StatefulSet"}:
            continue
        pod = one["spec"]["template"]["spec"]
        for container in [*pod.get("initContainers", ()), *pod["containers"]]:
            resources = container["resources"]
            requests, limits = resources["requests"], resources["limits"]
            asked[container["name"]] = {
                "request_mib": mebibytes(requests["memory"]),
                "limit_mib": mebibytes(limits["memory"]),
                "cpu_request_m": millicores(requests["cpu"]),
                "cpu_limit_m": millicores(limits["cpu"]),
            }
    return asked


def mebibytes(quantity: str) -> int:
    """``512Mi`` or ``2Gi`` as a number of MiB.

    Raises:
        ValueError: It is neither.
    """
    found = re.fullmatch(r"(\d+)(Mi|Gi)", quantity)
    if found is None:
        raise ValueError(f"{quantity} is no whole number of Mi or Gi")
    return int(found[1]) * _UNITS[found[2]]


def millicores(quantity: str) -> int:
    """``250m`` or ``2`` as thousandths of a core.

    Raises:
        ValueError: It is neither.
    """
    found = re.fullmatch(r"(\d+)(m?)", quantity)
    if found is None:
        raise ValueError(f"{quantity} is no whole number of cores or thousandths")
    return int(found[1]) * (1 if found[2] else 1000)

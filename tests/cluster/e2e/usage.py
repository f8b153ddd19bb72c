"""What each container needs: memory and CPU as the kubelet counts them, sampled under load."""

from __future__ import annotations

import re
import threading
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Self

from tests.cluster.addresses import NODE
from tests.cluster.errors import CommandFailed

if TYPE_CHECKING:
    from tests.cluster.kubectl import Kubectl

_SAMPLE_EVERY_S = 5.0
_MIB = 2**20
_METRIC = re.compile(
    r"^container_(?P<what>memory_working_set_bytes|cpu_usage_seconds_total)"
    r'\{container="(?P<container>[^"]+)",namespace="(?P<namespace>[^"]+)",pod="(?P<pod>[^"]+)"\} '
    r"(?P<value>\S+)",
    re.MULTILINE,
)


class UsageRecorder:
    """Samples the node while it is entered."""

    def __init__(self, kubectl: Kubectl) -> None:
        """Prepares it for the pods of the client's namespace."""
        self._kubectl = kubectl
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._peaks: dict[str, float] = defaultdict(float)
        self._seconds: dict[tuple[str, str], list[float]] = {}
        self._began = 0.0
        self._lasted = 0.0

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._lasted = time.monotonic() - self._began

    def table(self) -> dict[str, dict[str, Any]]:
        """Container -> peak working set in MiB, mean CPU in cores over the whole time.

        The pods of one container's name are one row: the highest peak, and the CPU of all.
        """
        cores: dict[str, float] = defaultdict(float)
        for (_, container), (first, last) in self._seconds.items():
            cores[container] += (last - first) / self._lasted
        return {
            container: {"peak_mib": round(peak / _MIB), "mean_cores": round(cores[container], 3)}
            for container, peak in sorted(self._peaks.items())
        }

    def _sample(self) -> None:
        while not self._stop.wait(_SAMPLE_EVERY_S):
            try:
                told = self._kubectl.run(
                    "get", "--raw", f"/api/v1/nodes/{NODE}/proxy/metrics/resource"
                )
            except CommandFailed:
                continue  # a busy kubelet; the next sample tells as much
            for found in _METRIC.finditer(told):
                if found["namespace"] == self._kubectl.namespace:
                    self._keep(
                        found["pod"], found["container"], found["what"], float(found["value"])
                    )

    def _keep(self, pod: str, container: str, what: str, value: float) -> None:
        if what == "memory_working_set_bytes":
            self._peaks[container] = max(self._peaks[container], value)
        else:
            first, _ = self._seconds.setdefault((pod, container), [value, value])
            self._seconds[pod, container] = [first, value]

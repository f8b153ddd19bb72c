"""Measures the plain service of :mod:`benchmarks.plain_service`."""

from __future__ import annotations

import http.client
import subprocess
import time
from pathlib import Path

from benchmarks.films import BenchmarkFilm, distinct_films
from hilum_stack.ports import reserve_port

_ROOT = Path(__file__).resolve().parents[1]
_PYTHON = _ROOT / ".venv-training" / "bin" / "python"
_WEIGHTS = _ROOT / "training" / "weights" / "chest.npz"
_BOUNDARY = "plain-boundary"


def plain_films_per_second(number: int) -> float | None:
    """Films per second, one request after the other; None without the training environment."""
    if not _PYTHON.is_file() or not _WEIGHTS.is_file():
        return None
    port = reserve_port()
    command = [str(_PYTHON), "-m", "benchmarks.plain_service", str(port)]
    with subprocess.Popen(
        command, cwd=_ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as service:
        try:
            _wait_until_ready(service, port)
            films = list(distinct_films(number + 3))
            for film in films[:3]:  # warm-up: traces the functions
                _predict(port, film)
            begun = time.perf_counter()
            for film in films[3:]:
                _predict(port, film)
            return number / (time.perf_counter() - begun)
        finally:
            service.terminate()


def _predict(port: int, film: BenchmarkFilm) -> None:
    head = (
        f"--{_BOUNDARY}\r\n"
        f'Content-Disposition: form-data; name="file"; filename="{film.name}"\r\n\r\n'
    ).encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request(
        "POST",
        "/predict",
        body=head + film.content + f"\r\n--{_BOUNDARY}--\r\n".encode(),
        headers={"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"},
    )
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != http.client.OK:
        raise RuntimeError(f"the plain service answered {answer.status}: {content[:200]!r}")


def _wait_until_ready(service: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(600):
        if service.poll() is not None:
            raise RuntimeError("the plain service did not start")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/ready")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("the plain service did not become ready")

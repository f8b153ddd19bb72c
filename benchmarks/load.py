"""The load generator: a process that uploads films over a few connections.

Run as ``python -m benchmarks.load URL KEY_FILE COUNT CONNECTIONS``; prints one JSON line an upload
with the job's id and the moments (Unix seconds) at which its upload began and was answered. It
speaks HTTP with the standard library's client, since it shares its cores with what it measures.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from benchmarks.films import distinct_films

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.films import BenchmarkFilm

_BOUNDARY = "hilum-benchmark-boundary"
_ACCEPTED = (200, 202)
_MADE_BEFORE = 600


def form(film: BenchmarkFilm) -> bytes:
    """The body of an upload."""
    head = (
        f"--{_BOUNDARY}\r\n"
        f'Content-Disposition: form-data; name="files"; filename="{film.name}"\r\n\r\n'
    ).encode()
    return head + film.content + f"\r\n--{_BOUNDARY}--\r\n".encode()


def upload(connection: http.client.HTTPConnection, key: str, body: bytes) -> str:
    """Upload one film, as :func:`form` made it; the id of its job.

    Raises:
        RuntimeError: The gateway answered otherwise than with a job.
    """
    connection.request(
        "POST",
        "/v1/studies",
        body=body,
        headers={
            "Authorization": f"Bearer {key}",
            "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
        },
    )
    answer = connection.getresponse()
    content = answer.read()
    if answer.status not in _ACCEPTED:
        raise RuntimeError(f"{answer.status}: {content[:300]!r}")
    job_id: str = json.loads(content)["jobs"][0]["job_id"]
    return job_id


def run(url: str, key: str, number: int, connections: int) -> None:
    """Upload so many films over so many connections, as fast as they are answered.

    A few hundred bodies are made beforehand, the rest on the way, to keep the memory small.
    """
    parts = urlsplit(url)
    bodies = map(form, distinct_films(number))
    films = chain(list(islice(bodies, _MADE_BEFORE)), bodies)
    lock = threading.Lock()
    failures: list[BaseException] = []

    def take() -> Iterator[bytes]:
        while not failures:
            with lock:
                body = next(films, None)
            if body is None:
                return
            yield body

    def work() -> None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80)
        try:
            for body in take():
                begun = time.time()
                job_id = upload(connection, key, body)
                line = json.dumps({"job_id": job_id, "begun": begun, "answered": time.time()})
                with lock:
                    print(line, flush=True)
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]).read_text().strip(), int(sys.argv[3]), int(sys.argv[4]))

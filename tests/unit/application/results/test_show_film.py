"""Pictures are made when somebody looks."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from tests.unit.application.stage import Stage, film, key


def test_many_who_look_at_once_have_two_images_in_memory(monkeypatch):
    """Two are read at a time. Whoever waits has not fetched its file."""
    stage = Stage()
    jobs = [stage.queued(film(shade)).id for shade in range(8)]
    for job in jobs:
        stage.analyse(job)
    held, most, lock = 0, 0, threading.Lock()
    two = threading.Barrier(2, timeout=30)
    fetched, read = stage.store.get, stage.reader.read

    def get(name: str) -> bytes:
        nonlocal held, most
        content = fetched(name)
        if name.startswith("films/"):
            with lock:
                held += 1
                most = max(most, held)
            two.wait()
        return content

    def decode(data: bytes, **options: bool):
        nonlocal held
        found = read(data, **options)
        with lock:
            held -= 1
        return found

    monkeypatch.setattr(stage.store, "get", get)
    monkeypatch.setattr(stage.reader, "read", decode)
    with ThreadPoolExecutor(8) as threads:
        pictures = list(threads.map(lambda job: stage.show.preview(job, key()), jobs))
    assert all(pictures)
    assert most == 2

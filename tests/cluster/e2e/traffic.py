"""Films that keep coming while something is done to the installation."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAUSE_S = 0.3
_FAILS_FOR_NOW = {502, 503, 504}


class Traffic:
    """A modality: it sends one film after the other, and each again until it is accepted.

    Attributes:
        accepted: Ids of the jobs, one for each film.
        refusals: Answers (or broken connections) on which a film was sent again.
    """

    def __init__(self, api: httpx.Client, films: Iterator[bytes], *, at_least: int) -> None:
        """Prepares it.

        Args:
            api: Client of the gateway.
            films: Each a new one.
            at_least: It goes on until so many are accepted, and until ``enough``.
        """
        self.accepted: list[str] = []
        self.refusals: list[str] = []
        self._api = api
        self._films = films
        self._at_least = at_least
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.enough()

    def enough(self) -> None:
        """Sends what is missing to ``at_least``, then ends."""
        self._enough.set()
        self._thread.join()

    def _send(self) -> None:
        for film in self._films:
            self.accepted.append(self._insist(film))
            if self._enough.is_set() and len(self.accepted) >= self._at_least:
                return
            self._enough.wait(_PAUSE_S)

    def _insist(self, film: bytes) -> str:
        pause = threading.Event()
        while True:
            try:
                answer = self._api.post("/v1/studies", files={"files": ("film.png", film)})
            except httpx.TransportError as error:
                self.refusals.append(repr(error))
            else:
                # The same upload again, after an answer that was lost, is told the job that is.
                if answer.is_success:
                    (job,) = answer.json()["jobs"]
                    return str(job["job_id"])
                self.refusals.append(f"{answer.status_code} {answer.text[:200]}")
            pause.wait(_PAUSE_S)

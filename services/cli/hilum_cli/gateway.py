"""Talks to the gateway over HTTP."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final, Self

import httpx

from hilum_cli.failure import GatewayRefusal, GatewayUnreachable
from hilum_cli.film_files import media_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

_CONNECT_TIMEOUT_S: Final = 5.0
_ANSWER_TIMEOUT_S: Final = 60.0
_PAGE: Final = 200


class Gateway:
    """A client of the API, version 1; a context manager.

    Every method raises:
        GatewayUnreachable: Nothing answers.
        GatewayRefusal: The answer is a problem.
    """

    def __init__(
        self, url: str, api_key: str, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._url = url.rstrip("/")
        self._client = httpx.Client(
            base_url=self._url,
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=httpx.Timeout(_ANSWER_TIMEOUT_S, connect=_CONNECT_TIMEOUT_S),
            transport=transport,
        )

    def __enter__(self) -> Self:
        """Open."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self._client.close()

    def submit(self, films: Sequence[Path], fields: Mapping[str, str]) -> dict[str, Any]:
        """``POST /v1/studies``: send films in one request, straight from the disk."""
        with ExitStack() as stack:
            parts = [
                ("files", (path.name, stack.enter_context(path.open("rb")), media_type(path)))
                for path in films
            ]
            return self._ask("POST", "/v1/studies", files=parts, data=dict(fields))

    def job(self, job_id: str) -> dict[str, Any]:
        """``GET /v1/jobs/{job_id}``."""
        return self._ask("GET", f"/v1/jobs/{job_id}")

    def jobs(self, which: Mapping[str, str], limit: int | None) -> Iterator[dict[str, Any]]:
        """``GET /v1/jobs``: newest first, page by page, at most ``limit``."""
        cursor: str | None = None
        left = limit
        while left is None or left > 0:
            query = {**which, "limit": str(_PAGE if left is None else min(left, _PAGE))}
            if cursor is not None:
                query["cursor"] = cursor
            page = self._ask("GET", "/v1/jobs", params=query)
            yield from page["jobs"]
            cursor = page["next"]
            if cursor is None:
                return
            left = None if left is None else left - len(page["jobs"])

    def change(
        self, job_id: str, action: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """``POST /v1/jobs/{job_id}/{action}``: an act of an operator on one job."""
        return self.post(f"jobs/{job_id}/{action}", body)

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """``GET /v1/{path}``."""
        return self._ask("GET", f"/v1/{path}", params=query)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """``POST /v1/{path}``."""
        return self._ask("POST", f"/v1/{path}", json=body)

    def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """``PUT /v1/{path}``."""
        return self._ask("PUT", f"/v1/{path}", json=body)

    def picture(self, job_id: str, name: str) -> bytes:
        """``GET /v1/jobs/{job_id}/{name}``: a picture of a completed job."""
        path = f"/v1/jobs/{job_id}/{name}"
        response = self._send("GET", path)
        if not response.is_success:
            raise self._refusal(path, response, _document(response))
        return response.content

    def readiness(self) -> tuple[bool, dict[str, Any]]:
        """``GET /readyz``: whether the gateway is ready, and the document that says so."""
        response = self._send("GET", "/readyz")
        return response.is_success, _document(response) or {}

    def metrics(self) -> str:
        """``GET /metrics``: text of the Prometheus exposition format."""
        return self._send("GET", "/metrics").text

    def _ask(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        response = self._send(method, path, **arguments)
        document = _document(response)
        if response.is_success and document is not None:
            return document
        raise self._refusal(path, response, document)

    def _refusal(
        self, path: str, response: httpx.Response, document: dict[str, Any] | None
    ) -> GatewayRefusal:
        problem = document or {}
        return GatewayRefusal(
            response.status_code,
            str(problem.get("code", f"http_{response.status_code}")),
            str(problem.get("detail") or f"{self._url}{path} answered with no problem document"),
            retry_after=_seconds(response.headers.get("Retry-After")),
            films=problem.get("jobs", ()),
            advice=problem.get("advice"),
        )

    def _send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        try:
            return self._client.request(method, path, **arguments)
        except (httpx.TransportError, httpx.InvalidURL, httpx.DecodingError) as error:
            raise GatewayUnreachable(self._url, str(error) or type(error).__name__) from error


def _document(response: httpx.Response) -> dict[str, Any] | None:
    try:
        document = response.json()
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else max(0.0, float(text))
    except ValueError:
        return None

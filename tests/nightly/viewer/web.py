"""Serves OHIF's files, and Orthanc's DICOMweb under the same address."""

from __future__ import annotations

import mimetypes
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from hilum_stack.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIGURATION: Final = b"""
window.config = {
  routerBasename: null, extensions: [], modes: [], showStudyList: true, maxNumberOfWebWorkers: 2,
  showWarningMessageForCrossOrigin: false, showCPUFallbackMessage: false,
  defaultDataSourceName: 'dicomweb',
  dataSources: [{
    namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
    sourceName: 'dicomweb',
    configuration: {
      friendlyName: 'Orthanc', name: 'orthanc', wadoUriRoot: '/dicom-web', qidoRoot: '/dicom-web',
      wadoRoot: '/dicom-web', qidoSupportsIncludeField: false, imageRendering: 'wadors',
      thumbnailRendering: 'wadors', enableStudyLazyLoad: true, supportsFuzzyMatching: false,
      supportsWildcard: true, bulkDataURI: { enabled: true },
    },
  }],
};
"""


@contextmanager
def viewer(files: Path, pacs: str) -> Iterator[str]:
    """Serve the viewer on 127.0.0.1; gives its address.

    Args:
        files: OHIF's ``dist`` folder.
        pacs: Address of Orthanc.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            if path.startswith("/dicom-web"):
                self._answer(*_fetched(pacs + self.path, self.headers.get("Accept", "*/*")))
            elif path == "/app-config.js":
                self._answer(200, CONFIGURATION, "text/javascript")
            else:
                file = files / path.lstrip("/")
                file = file if file.is_file() else files / "index.html"
                kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
                self._answer(200, file.read_bytes(), kind)

        def _answer(self, status: int, content: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cross-Origin-Opener-Policy", "same-origin")
            self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer((LOOPBACK, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{LOOPBACK}:{server.server_port}"
        server.shutdown()


def _fetched(url: str, accept: str) -> tuple[int, bytes, str]:
    try:
        with urlopen(Request(url, headers={"Accept": accept})) as answer:  # noqa: S310 - Orthanc's
            return answer.status, answer.read(), answer.headers["Content-Type"]
    except HTTPError as error:
        return error.code, error.read(), "text/plain"

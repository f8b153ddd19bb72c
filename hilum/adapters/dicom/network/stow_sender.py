"""Sends objects by STOW-RS (PS3.18 section 10.5), one request for all of a delivery."""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

import urllib3
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID

from hilum.adapters.dicom.delivery_context import read_context
from hilum.adapters.dicom.network.dimse_sender import IMPLEMENTATION_CLASS_UID, Timeouts
from hilum.adapters.dicom.network.status import answer_of, printable, without_patient
from hilum.adapters.dicom.network.tls import TlsFiles, client_context
from hilum.application.ports.pacs import Answer, ObjectAnswer
from hilum.domain.errors import DestinationRefuses, DestinationUnavailable

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    from hilum.application.ports.result_encoder import DicomObject
    from hilum.domain.destination import Destination

_OK, _ACCEPTED, _CONFLICT = 200, 202, 409
_LATER: Final = frozenset({408, 425, 429})
_SERVER_ERROR: Final = 500
_JSON: Final = "application/dicom+json"
_LONGEST_ANSWER: Final = 1024 * 1024


class StowSender:
    """STOW-RS destinations, see :class:`hilum.application.ports.pacs.Pacs`."""

    def __init__(self, timeouts: Timeouts | None = None, tls: TlsFiles | None = None) -> None:
        """Prepare a sender.

        Args:
            timeouts: How long what is waited for.
            tls: For destinations over HTTPS.
        """
        self._timeouts = timeouts or Timeouts()
        self._tls = tls or TlsFiles()

    def send(
        self, destination: Destination, objects: Sequence[DicomObject]
    ) -> Sequence[ObjectAnswer]:
        """Send objects in one request."""
        boundary = secrets.token_hex(16)
        kind = f'multipart/related; type="application/dicom"; boundary={boundary}'
        headers = {"Content-Type": kind, "Accept": _JSON}
        body = _multipart(objects, boundary)
        status, told = self._ask(destination, "POST", "/studies", headers, body)
        if status in {_OK, _ACCEPTED, _CONFLICT}:
            return _answers(objects, status, told)
        words = _words(told, objects)
        return [
            ObjectAnswer(one.sop_instance_uid, Answer.REFUSED, status, words) for one in objects
        ]

    def echo(self, destination: Destination) -> float:
        """Ask by a query for one study."""
        began = time.monotonic()
        status, told = self._ask(destination, "GET", "/studies?limit=1", {"Accept": _JSON}, None)
        if status >= 400:  # noqa: PLR2004 - errors of HTTP
            raise DestinationRefuses(f"HTTP {status} {printable(told.decode(errors='replace'))}")
        return time.monotonic() - began

    def request_commitment(
        self,
        destination: Destination,
        transaction_uid: str,
        objects: Sequence[tuple[str, str]],
    ) -> None:
        """Refuse: what STOW-RS answers with 200 is kept."""
        del transaction_uid, objects
        raise DestinationRefuses(f"{destination.url} is no C-STORE destination")

    def _ask(
        self,
        destination: Destination,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes | None,
    ) -> tuple[int, bytes]:
        """Return status and body of the answer, where it is not one to come back for."""
        try:
            with self._pool(destination) as pool:
                answer = pool.request(
                    method,
                    destination.url + path,
                    body=body,
                    headers=headers,
                    preload_content=False,
                    redirect=False,
                )
                content = answer.read(_LONGEST_ANSWER)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            why = printable(getattr(error, "reason", None) or error)
            raise DestinationUnavailable(f"{destination.url}: {why}") from error
        if answer.status in _LATER or answer.status >= _SERVER_ERROR:
            words = printable(content.decode(errors="replace"))
            raise DestinationUnavailable(f"{destination.url}: HTTP {answer.status} {words}")
        return answer.status, content

    def _pool(self, destination: Destination) -> urllib3.PoolManager:
        context: ssl.SSLContext | None = None
        if destination.tls:
            context = client_context(self._tls, names=True)
        return urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=self._timeouts.connect, read=self._timeouts.answer),
            retries=False,
            ssl_context=context,
        )


def _multipart(objects: Sequence[DicomObject], boundary: str) -> bytes:
    parts = [
        f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode() + file_of(one) + b"\r\n"
        for one in objects
    ]
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


def file_of(one: DicomObject) -> bytes:
    """Return an object as a file (PS3.10)."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(one.sop_class_uid)
    meta.MediaStorageSOPInstanceUID = UID(one.sop_instance_uid)
    meta.TransferSyntaxUID = UID(one.transfer_syntax_uid)
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    buffer = DicomBytesIO()
    buffer.write(bytes(128) + b"DICM")
    write_file_meta_info(buffer, meta)
    return buffer.getvalue() + one.data_set


def _words(told: bytes, objects: Sequence[DicomObject]) -> str:
    words = printable(told.decode(errors="replace"))
    return without_patient(words, read_context(objects[0].data_set))


def _answers(objects: Sequence[DicomObject], status: int, content: bytes) -> Sequence[ObjectAnswer]:
    """Read the response document (PS3.18 section I.2). What it does not name was taken."""
    try:
        told = Dataset.from_json(json.loads(content)) if content.strip() else Dataset()
        failed = _by_uid(told, "FailedSOPSequence")
        warned = _by_uid(told, "ReferencedSOPSequence")
    except Exception:  # noqa: BLE001 - a document that is none says nothing
        failed, warned = {}, {}
    answers = []
    for one in objects:
        uid = one.sop_instance_uid
        if uid in failed or (status == _CONFLICT and not failed):
            reason = failed.get(uid, {}).get("FailureReason", 0x0110)
            answer, code, words = answer_of(int(reason), failed.get(uid, {}).get("ErrorComment"))
            words = without_patient(words, read_context(one.data_set))
            answers.append(ObjectAnswer(uid, _unsent(answer), code, words))
        else:
            reason = warned.get(uid, {}).get("WarningReason")
            words = "" if reason is None else f"taken with warning 0x{int(reason):04X}"
            answers.append(ObjectAnswer(uid, Answer.SENT, status, words))
    return answers


def _unsent(answer: Answer) -> Answer:
    return Answer.REFUSED if answer is Answer.SENT else answer


def _by_uid(told: Dataset, keyword: str) -> dict[str, Any]:
    return {str(one.get("ReferencedSOPInstanceUID", "")): one for one in told.get(keyword) or ()}

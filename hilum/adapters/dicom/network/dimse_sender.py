"""Sends objects by C-STORE, on associations that are reused (PS3.4 annex B, PS3.7)."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless
from pynetdicom import AE, _config
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at import
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
    Verification,
)

from hilum.adapters.dicom.delivery_context import read_context
from hilum.adapters.dicom.network.status import answer_of, printable, without_patient
from hilum.adapters.dicom.network.tls import TlsFiles, client_context
from hilum.application.ports.pacs import Answer, ObjectAnswer
from hilum.domain.errors import DestinationRefuses, DestinationUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pynetdicom.association import Association

    from hilum.application.ports.result_encoder import DicomObject
    from hilum.domain.destination import Destination

# Neither what is sent nor what a peer says is written to the log of the library.
_config.LOG_HANDLER_LEVEL = "none"
logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)

_NATIVE: Final = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
OFFERED: Final = (
    (Comprehensive3DSRStorage, _NATIVE),
    (ComprehensiveSRStorage, _NATIVE),
    (SecondaryCaptureImageStorage, _NATIVE),
    (GrayscaleSoftcopyPresentationStateStorage, _NATIVE),
    (SegmentationStorage, _NATIVE),
    (SegmentationStorage, (JPEG2000Lossless,)),
    (StorageCommitmentPushModel, _NATIVE),
    (Verification, _NATIVE),
)
"""SOP classes with the transfer syntaxes of each presentation context, the same every time."""

IMPLEMENTATION_CLASS_UID: Final = "2.25.284197304853370287013268906482046741977"
"""Of Hilum (PS3.7 annex D.3.3.2), the listener's too."""

_REJECTED_FOR_GOOD: Final = 1
_COMMIT: Final = 1
_NO_STATUS: Final = None
IDLE_S: Final = 10.0
"""How long an association that nobody uses is kept."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds.

    Attributes:
        connect: Until a TCP connection stands.
        associate: Until an association is answered, and until one is released.
        answer: Until an object is answered.
    """

    connect: float = 5.0
    associate: float = 10.0
    answer: float = 30.0


@dataclass(slots=True)
class _Idle:
    """Associations to one address that nobody uses, and since when."""

    waiting: list[tuple[Association, float]] = field(default_factory=list)


class DimseSender:
    """C-STORE destinations, see :class:`hilum.application.ports.pacs.Pacs`."""

    def __init__(self, timeouts: Timeouts | None = None, tls: TlsFiles | None = None) -> None:
        """Prepare a sender.

        Args:
            timeouts: How long what is waited for.
            tls: For destinations over TLS.
        """
        self._timeouts = timeouts or Timeouts()
        self._tls = tls or TlsFiles()
        self._lock = threading.Lock()
        self._idle: dict[Destination, _Idle] = {}
        self._timer: threading.Timer | None = None

    def send(
        self, destination: Destination, objects: Sequence[DicomObject]
    ) -> Sequence[ObjectAnswer]:
        """Send objects in their order, on one association."""
        with self._association(destination) as association:
            answers = [self._store(association, one) for one in objects]
        if all(one.answer is Answer.LATER and one.status is _NO_STATUS for one in answers):
            raise DestinationUnavailable(f"{destination.ae_title} gave no answer to C-STORE")
        return answers

    def echo(self, destination: Destination) -> float:
        """Ask by C-ECHO, on an association of its own."""
        began = time.monotonic()
        association = self._connect(destination)
        try:
            if not _accepts(association, Verification):
                return time.monotonic() - began  # it answers, and knows no C-ECHO
            told = association.send_c_echo()
        finally:
            association.release()
        if "Status" not in told:
            raise DestinationUnavailable(f"{destination.ae_title} gave no answer to C-ECHO")
        return time.monotonic() - began

    def request_commitment(
        self,
        destination: Destination,
        transaction_uid: str,
        objects: Sequence[tuple[str, str]],
    ) -> None:
        """Ask for storage commitment by N-ACTION (PS3.4 annex J)."""
        asked = Dataset()
        asked.TransactionUID = transaction_uid
        asked.ReferencedSOPSequence = [_reference(*one) for one in objects]
        with self._association(destination) as association:
            if not _accepts(association, StorageCommitmentPushModel):
                raise DestinationRefuses(f"{destination.ae_title} knows no storage commitment")
            told, _ = association.send_n_action(
                asked, _COMMIT, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
            )
        status = told.get("Status")
        if status is None:
            raise DestinationUnavailable(f"{destination.ae_title} gave no answer to N-ACTION")
        if status != 0:
            raise DestinationRefuses(
                f"storage commitment: 0x{status:04X} {printable(told.get('ErrorComment'))}".strip()
            )

    def close(self) -> None:
        """Release what is idle."""
        self._release_idle(0.0)

    @contextmanager
    def _association(self, destination: Destination) -> Iterator[Association]:
        """Give an association, and keep it for the next object where it still stands."""
        association = self._taken(destination) or self._connect(destination)
        try:
            yield association
        except BaseException:
            association.abort()
            raise
        if association.is_established:
            with self._lock:
                idle = self._idle.setdefault(destination, _Idle())
                idle.waiting.append((association, time.monotonic()))
                self._look_later()

    def _taken(self, destination: Destination) -> Association | None:
        """Return an idle association that still stands."""
        while True:
            with self._lock:
                waiting = self._idle[destination].waiting if destination in self._idle else []
                association = waiting.pop()[0] if waiting else None
            if association is None or self._stands(association):
                return association

    def _stands(self, association: Association) -> bool:
        """Return whether an idle association is not closed by the peer, as far as can be seen."""
        if not association.is_established:
            return False
        if _accepts(association, Verification):
            with suppress(Exception):
                return "Status" in association.send_c_echo()
            return False
        return True

    def _connect(self, destination: Destination) -> Association:
        entity = AE(ae_title=destination.calling_ae)
        entity.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
        entity.implementation_version_name = "HILUM"
        entity.connection_timeout = self._timeouts.connect
        entity.acse_timeout = self._timeouts.associate
        entity.dimse_timeout = self._timeouts.answer
        entity.network_timeout = IDLE_S * 2
        for abstract, syntaxes in OFFERED:
            entity.add_requested_context(abstract, list(syntaxes))
        association = entity.associate(
            destination.host,
            destination.port,
            ae_title=destination.ae_title,
            tls_args=self._tls_of(destination),
        )
        if association.is_established:
            return association
        if association.is_rejected:
            raise _rejection(association, destination)
        raise DestinationUnavailable(self._why(destination))

    def _tls_of(self, destination: Destination) -> tuple[ssl.SSLContext, str] | None:
        if not destination.tls:
            return None
        try:
            return client_context(self._tls, names=False), destination.host
        except (OSError, ValueError) as error:
            raise DestinationUnavailable(f"our own TLS files: {error}") from error

    def _why(self, destination: Destination) -> str:
        """Return why no association came about, as another connection shows it."""
        where = f"{destination.ae_title}@{destination.host}:{destination.port}"
        address = (destination.host, destination.port)
        try:
            with socket.create_connection(address, self._timeouts.connect) as connected:
                tls = self._tls_of(destination)
                if tls is not None:
                    with tls[0].wrap_socket(connected, server_hostname=tls[1]):
                        pass
        except ssl.SSLError as error:
            return f"{where}: TLS: {printable(error.reason or str(error))}"
        except OSError as error:
            return f"{where}: no connection: {printable(error.strerror or str(error))}"
        return f"{where}: the association was aborted, or not answered in time"

    def _store(self, association: Association, one: DicomObject) -> ObjectAnswer:
        uid = one.sop_instance_uid
        if not association.is_established:
            return ObjectAnswer(uid, Answer.LATER, words="the association ended before")
        syntax = _syntax_for(association, one)
        if syntax is None:
            words = "the peer accepts no presentation context for this SOP class"
            return ObjectAnswer(uid, Answer.REFUSED, words=words)
        dataset = _data_set(one, syntax)
        told = association.send_c_store(dataset)
        status: int | None = told.get("Status")
        if status is None:
            return ObjectAnswer(uid, Answer.LATER, words="no answer to C-STORE")
        answer, status, words = answer_of(status, told.get("ErrorComment"))
        return ObjectAnswer(uid, answer, status, without_patient(words, dataset))

    def _look_later(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(IDLE_S, self._look)
            self._timer.daemon = True
            self._timer.start()

    def _look(self) -> None:
        with self._lock:
            self._timer = None
        self._release_idle(IDLE_S)
        with self._lock:
            if any(idle.waiting for idle in self._idle.values()):
                self._look_later()

    def _release_idle(self, age_s: float) -> None:
        until = time.monotonic() - age_s
        with self._lock:
            old = [
                entry for idle in self._idle.values() for entry in idle.waiting if entry[1] <= until
            ]
            for idle in self._idle.values():
                idle.waiting = [entry for entry in idle.waiting if entry not in old]
        for association, _ in old:
            if association.is_established:
                association.release()


def _accepts(association: Association, sop_class: str) -> bool:
    return any(one.abstract_syntax == sop_class for one in association.accepted_contexts)


def _syntax_for(association: Association, one: DicomObject) -> str | None:
    """Return the transfer syntax in which an object is sent. Only native ones are changed."""
    accepted = [
        str(context.transfer_syntax[0])
        for context in association.accepted_contexts
        if context.abstract_syntax == one.sop_class_uid
    ]
    if one.transfer_syntax_uid in accepted:
        return one.transfer_syntax_uid
    native = one.transfer_syntax_uid == ExplicitVRLittleEndian
    return next((syntax for syntax in accepted if native and syntax in _NATIVE), None)


def _data_set(one: DicomObject, syntax: str) -> Dataset:
    dataset = read_context(one.data_set)
    if syntax == ImplicitVRLittleEndian:
        for _ in dataset.iterall():  # reads what is still encoded with explicit VRs
            pass
    dataset.set_original_encoding(is_implicit_vr=False, is_little_endian=True)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(one.transfer_syntax_uid)
    return dataset


def _reference(sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = sop_class_uid
    reference.ReferencedSOPInstanceUID = sop_instance_uid
    return reference


def _rejection(
    association: Association, destination: Destination
) -> DestinationRefuses | DestinationUnavailable:
    told: Any = association.acceptor.primitive
    why = f"{destination.ae_title} rejected: {told.result_str}, {told.reason_str}"
    if told.result == _REJECTED_FOR_GOOD:
        return DestinationRefuses(why)
    return DestinationUnavailable(why)

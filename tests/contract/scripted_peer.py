"""A C-STORE peer on 127.0.0.1 that answers as a test wants."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Self

from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import StorageCommitmentPushModel, Verification

from hilum.adapters.dicom.network.dimse_sender import OFFERED
from hilum_stack.ports import LOOPBACK, reserve_port

if TYPE_CHECKING:
    import ssl

    from pynetdicom.events import Event


class ScriptedPeer:
    """One peer.

    Attributes:
        port: Where it listens.
        held: Data sets that it took, by SOP Instance UID, with their transfer syntax.
        statuses: Status and Error Comment by SOP class; success by default.
        abort_at: Number of the object, from 1, at which it aborts; 0 for none.
        associations: How many it accepted.
        committed: Transaction UIDs of the storage commitments that it was asked for.
    """

    def __init__(
        self,
        *,
        without: tuple[str, ...] = (),
        calls_itself: str | None = None,
        most: int = 10,
        tls: ssl.SSLContext | None = None,
        syntaxes: tuple[str, ...] | None = None,
    ) -> None:
        self.port = reserve_port()
        self.held: dict[str, tuple[bytes, str]] = {}
        self.statuses: dict[str, tuple[int, str]] = {}
        self.abort_at = 0
        self.associations = 0
        self.committed: list[str] = []
        self._count = 0
        self._without = without
        self._tls = tls
        self._lock = threading.Lock()
        self.entity = AE(ae_title="PEER")
        self.entity.maximum_associations = most
        self.entity.require_called_aet = calls_itself is not None
        for abstract, offered in OFFERED:
            if abstract not in without:
                self.entity.add_supported_context(abstract, list(syntaxes or offered))
        self._server: Any = None

    def __enter__(self) -> Self:
        handlers = [
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_ACCEPTED, self._accepted),
            (evt.EVT_N_ACTION, self._commit),
        ]
        self._server = self.entity.start_server(
            (LOOPBACK, self.port), block=False, evt_handlers=handlers, ssl_context=self._tls
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()

    def close_associations(self) -> None:
        """Abort what is open, as a peer does with what is idle."""
        for association in list(self._server.active_associations):
            association.abort()

    def _accepted(self, _event: Event) -> None:
        with self._lock:
            self.associations += 1

    def _store(self, event: Event) -> int | Dataset:
        request: Any = event.request
        with self._lock:
            self._count += 1
        if self._count == self.abort_at:
            event.assoc.abort()
            return 0xC000
        status, comment = self.statuses.get(request.AffectedSOPClassUID, (0x0000, ""))
        if status in {0x0000, 0xB000}:
            syntax = str(event.context.transfer_syntax)
            encoded = event.encoded_dataset(include_meta=False)
            self.held[str(request.AffectedSOPInstanceUID)] = (encoded, syntax)
        answer = Dataset()
        answer.Status = status
        if comment:
            answer.ErrorComment = comment
        return answer

    def _commit(self, event: Event) -> tuple[int, None]:
        self.committed.append(str(event.action_information.TransactionUID))
        return 0x0000, None


__all__ = ["ScriptedPeer", "StorageCommitmentPushModel", "Verification"]

"""``python -m hilum_stack.receiver PORT FOLDER``: takes DICOM objects on 127.0.0.1 into a folder.

It stands for a PACS where Orthanc is not installed. It needs no root, and reads no object.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from hilum_stack.ports import LOOPBACK, accepts_connections, reserve_port
from hilum_stack.process import Command
from hilum_stack.server import Server

if TYPE_CHECKING:
    from pynetdicom.dimse_primitives import C_STORE
    from pynetdicom.events import Event

_JPEG_2000_LOSSLESS: Final = "1.2.840.10008.1.2.4.90"


class Receiver(Server):
    """One receiver.

    Attributes:
        ae_title: Its own; it takes whatever it is called.
        dicom_port: Where it takes associations, on 127.0.0.1.
        received: Folder of what it took: ``<SOP Instance UID>.dcm``.
    """

    name = "receiver"
    ae_title = "RECEIVER"

    def __init__(self, folder: Path) -> None:
        """Prepare a receiver; what an earlier run took is kept.

        Args:
            folder: Holds what it takes, and its log.
        """
        super().__init__(folder)
        self.dicom_port = reserve_port()
        self.received = self.folder / "received"

    def _command(self) -> Command:
        self.received.mkdir(exist_ok=True)
        argv = ("-m", "hilum_stack.receiver", str(self.dicom_port), str(self.received))
        return Command(self.name, (sys.executable, *argv), self.log, folder=self.folder)

    def _ready(self) -> bool:
        return accepts_connections(self.dicom_port)


def receive(port: int, folder: Path) -> None:
    """Take objects of every storage class until the process is ended."""

    def store(event: Event) -> int:
        uid = str(cast("C_STORE", event.request).AffectedSOPInstanceUID)
        part = folder / f"{uid}.part"
        part.write_bytes(event.encoded_dataset())
        part.rename(folder / f"{uid}.dcm")
        return 0x0000

    entity = AE(ae_title=Receiver.ae_title)
    entity.add_supported_context(Verification)
    for context in AllStoragePresentationContexts:
        syntaxes = [*(context.transfer_syntax or ()), _JPEG_2000_LOSSLESS]
        entity.add_supported_context(context.abstract_syntax or "", syntaxes)
    entity.start_server((LOOPBACK, port), evt_handlers=[(evt.EVT_C_STORE, store)])


if __name__ == "__main__":
    receive(int(sys.argv[1]), Path(sys.argv[2]))

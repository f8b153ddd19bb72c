"""DCMTK's ``storescp``: a peer that takes every object and writes it to a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum_stack.enclosed import EnclosedServer
from hilum_stack.ports import accepts_connections, reserve_port
from hilum_stack.process import Command
from hilum_stack.server import find_program

if TYPE_CHECKING:
    from pathlib import Path


class StorescpServer(EnclosedServer):
    """One ``storescp``, with a process for each association.

    Attributes:
        ae_title: Its own.
        dicom_port: Where it takes associations, on 127.0.0.1.
        received: Folder of what it took.
    """

    name = "storescp"

    def __init__(self, folder: Path, *options: str, ae_title: str = "STORESCP") -> None:
        """Prepare a server.

        Args:
            folder: See :class:`EnclosedServer`.
            options: More of the program's, e.g. ``--abort-during``.
            ae_title: Its own.
        """
        self.ae_title = ae_title
        self.dicom_port = reserve_port()
        self._options = options
        super().__init__(folder, ports=(self.dicom_port,))
        self.received = self.folder / "received"

    def require_installed(self) -> None:
        """Raise ``ServerMissing`` unless DCMTK and namespaces are there."""
        super().require_installed()
        find_program("DCMTK", "storescp")

    def _program(self) -> Command:
        self.received.mkdir(exist_ok=True)
        argv = (
            *(str(find_program("DCMTK", "storescp")), "--fork", "--prefer-lossless"),
            *("--aetitle", self.ae_title, "--output-directory", str(self.received)),
            *(*self._options, str(self.dicom_port)),
        )
        return Command(self.name, argv, self.log)

    def _ready(self) -> bool:
        return accepts_connections(self.dicom_port)

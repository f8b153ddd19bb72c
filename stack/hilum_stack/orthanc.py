"""A real Orthanc: a PACS that takes, sends and shows DICOM objects, with DICOMweb."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hilum_stack.enclosed import EnclosedServer
from hilum_stack.errors import ServerMissing
from hilum_stack.health import is_healthy
from hilum_stack.ports import LOOPBACK, reserve_port
from hilum_stack.process import Command
from hilum_stack.server import find_program, write_private

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLUGINS: Final = Path("/usr/share/orthanc/plugins")
_SBIN: Final = Path("/usr/sbin")
_WANTED: Final = ("libOrthancDicomWeb.so", "libOrthancGdcm.so")


class OrthancServer(EnclosedServer):
    """One Orthanc.

    Attributes:
        ae_title: Its own.
        dicom_port: Where it takes associations, on 127.0.0.1.
        http_port: Of its REST API and DICOMweb.
    """

    name = "orthanc"

    def __init__(
        self, folder: Path, peers: Mapping[str, int] | None = None, ae_title: str = "ORTHANC"
    ) -> None:
        """Prepare a server.

        Args:
            folder: See :class:`EnclosedServer`.
            peers: Port on 127.0.0.1 of each AE title to which it sends.
            ae_title: Its own.
        """
        self.ae_title = ae_title
        self.dicom_port = reserve_port()
        self.http_port = reserve_port()
        self._known = dict(peers or {})
        super().__init__(
            folder, ports=(self.dicom_port, self.http_port), peers=tuple(self._known.values())
        )

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``; DICOMweb is below ``/dicom-web``."""
        return f"http://{LOOPBACK}:{self.http_port}"

    def require_installed(self) -> None:
        """Raise ``ServerMissing`` unless Orthanc, its plug-ins and namespaces are there."""
        super().require_installed()
        find_program("Orthanc", "Orthanc", _SBIN)
        if missing := [plugin for plugin in _WANTED if not (_PLUGINS / plugin).exists()]:
            raise ServerMissing("Orthanc", f"{', '.join(missing)} not in {_PLUGINS}")

    def _program(self) -> Command:
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        configuration = self.folder / "orthanc.json"
        write_private(configuration, json.dumps(self._configuration(data), indent=1))
        program = find_program("Orthanc", "Orthanc", _SBIN)
        return Command(self.name, (str(program), str(configuration)), self.log)

    def _configuration(self, data: Path) -> dict[str, object]:
        return {
            "Name": self.ae_title,
            "DicomAet": self.ae_title,
            "DicomPort": self.dicom_port,
            "HttpPort": self.http_port,
            "StorageDirectory": str(data),
            "IndexDirectory": str(data),
            # Who reaches it is decided by its namespace.
            "RemoteAccessAllowed": True,
            "AuthenticationEnabled": False,
            "DicomModalities": {
                ae_title: [ae_title, LOOPBACK, port] for ae_title, port in self._known.items()
            },
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
            "Plugins": [str(_PLUGINS / plugin) for plugin in _WANTED],
            "StableAge": 1,
        }

    def _ready(self) -> bool:
        return is_healthy(self.http_port, "/system")

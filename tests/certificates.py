"""Certificate authorities of tests, made by OpenSSL's command."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

from hilum_stack.certificate import Certificate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HERE: Final = ("DNS:localhost", "DNS:triton.hilum.test", "IP:127.0.0.1", "IP:127.0.0.2")

_KEY: Final = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """Signs certificates for servers on this machine.

    Attributes:
        certificate: Its own, PEM; what clients are given to trust.
    """

    def __init__(self, folder: Path, name: str = "authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.certificate = folder / f"{name}.crt"
        self._key = folder / f"{name}.key"
        _openssl(
            *("req", "-x509", "-new", *_KEY, "-days", "30", "-subj", f"/CN=Hilum test {name}"),
            *("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign"),
            *("-keyout", str(self._key), "-out", str(self.certificate)),
        )

    def sign(
        self, name: str, alternatives: Sequence[str] = HERE, *, usage: str = "serverAuth"
    ) -> Certificate:
        """A server's certificate, with its name as common name.

        Args:
            name: Of the files, too.
            alternatives: What the server may be called (``subjectAltName``).
            usage: What it is for (``extendedKeyUsage``).
        """
        key, chain, extensions = (
            self._folder / f"{name}{end}" for end in (".key", ".crt", ".extensions")
        )
        request = self._folder / f"{name}.csr"
        extensions.write_text(
            f"subjectAltName={','.join(alternatives)}\nextendedKeyUsage={usage}\n"
        )
        _openssl(
            *("req", "-new", *_KEY, "-subj", f"/CN={name}"),
            *("-keyout", str(key), "-out", str(request)),
        )
        _openssl(
            *("x509", "-req", "-in", str(request), "-days", "30", "-extfile", str(extensions)),
            *("-CA", str(self.certificate), "-CAkey", str(self._key), "-CAcreateserial"),
            *("-out", str(chain)),
        )
        return Certificate(chain, key, self.certificate)


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)

"""The cluster's own authority, its certificates, and the kubeconfig files that carry them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tests.cluster.addresses import API_SERVER
from tests.cluster.commands import output_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_DAYS = "30"
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
# The system's openssl.cnf would mark every certificate as an authority's.
_SETTINGS = "[req]\ndistinguished_name = subject\nprompt = no\n[subject]\n"


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key, both PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs the certificates of one cluster.

    Attributes:
        folder: Holds every certificate and key.
        own: The authority's own pair.
    """

    folder: Path
    own: Pair

    @classmethod
    def create(cls, folder: Path, name: str) -> Self:
        """Makes a new authority in a folder that only its owner can read."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "openssl.cnf").write_text(_SETTINGS)
        own = Pair(folder / f"{name}.crt", folder / f"{name}.key")
        _request(folder, own, f"/CN={name}", ("basicConstraints=critical,CA:TRUE",), ())
        return cls(folder, own)

    def issue(self, name: str, subject: str, alternatives: Sequence[str] = ()) -> Pair:
        """Issues a certificate for a server, a client, or what is both.

        Args:
            name: Of its files.
            subject: In OpenSSL's form; Kubernetes reads ``CN`` as the user, ``O`` as a group.
            alternatives: ``DNS:...`` and ``IP:...`` that a server answers under.
        """
        pair = Pair(self.folder / f"{name}.crt", self.folder / f"{name}.key")
        extensions = [
            "basicConstraints=critical,CA:FALSE",
            "extendedKeyUsage=serverAuth,clientAuth",
            *([f"subjectAltName={','.join(alternatives)}"] if alternatives else []),
        ]
        signer = ("-CA", self.own.certificate, "-CAkey", self.own.key)
        _request(self.folder, pair, subject, extensions, signer)
        return pair

    def kubeconfig(self, pair: Pair, file: Path) -> Path:
        """Writes a kubeconfig for the holder of a certificate; JSON, which YAML holds."""
        user = {"client-certificate": str(pair.certificate), "client-key": str(pair.key)}
        cluster = {"server": API_SERVER, "certificate-authority": str(self.own.certificate)}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "hilum", "cluster": cluster}],
            "users": [{"name": "holder", "user": user}],
            "contexts": [{"name": "hilum", "context": {"cluster": "hilum", "user": "holder"}}],
            "current-context": "hilum",
        }
        file.write_text(json.dumps(content, indent=1))
        return file


def _request(
    folder: Path,
    pair: Pair,
    subject: str,
    extensions: Sequence[str],
    signer: Sequence[str | Path],
) -> None:
    output_of(
        *("openssl", "req", "-x509", *_NEW_KEY, "-config", folder / "openssl.cnf"),
        *("-days", _DAYS, "-subj", subject, *signer),
        *(word for extension in extensions for word in ("-addext", extension)),
        *("-keyout", pair.key, "-out", pair.certificate),
    )

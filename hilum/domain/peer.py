"""A peer: a DICOM application that may send or query, and how one is told from another."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hilum.domain.errors import InvalidRequest
from hilum.domain.principal import Grant, Principal, PrincipalKind, Role

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

# The default character repertoire without backslash and control characters (PS3.5, section 6.2).
_AE_TITLE: Final = re.compile(r"[ -\[\]-~]{1,16}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A DICOM application of a site.

    Attributes:
        id: Random UUID.
        site: Owner of what it sends.
        ae_title: As it calls itself, without spaces around.
        host: Where it listens, a name or an address. None of one that only sends.
        port: Its port there.
        network: Addresses from which it may call, as an address or in CIDR notation. None: any.
        certificate_sha256: Digest of its certificate in DER, hexadecimal. None: none is asked for.
        may_send: Whether it may send images.
        may_query: Whether it may ask for what there is.
        created_at: UTC, by the database's clock.
    """

    id: UUID
    site: str
    ae_title: str
    host: str | None = None
    port: int | None = None
    network: str | None = None
    certificate_sha256: str | None = None
    may_send: bool = True
    may_query: bool = False
    created_at: datetime

    def principal(self) -> Principal:
        """Return who acts when it calls: it may submit images for its site."""
        grants = (Grant(Role.SUBMITTER, self.site),) if self.may_send else ()
        return Principal(PrincipalKind.AE_TITLE, self.ae_title, self.ae_title, grants)

    def admits(self, address: str, certificate_sha256: str | None) -> bool:
        """Return whether a caller with its AE title may be this peer."""
        if self.certificate_sha256 not in {None, certificate_sha256}:
            return False
        if self.network is None:
            return True
        caller = ipaddress.ip_address(address)
        # A socket for both families tells addresses of IPv4 as those of IPv6.
        mapped = getattr(caller, "ipv4_mapped", None)
        return (mapped or caller) in ipaddress.ip_network(self.network)

    @property
    def _proof(self) -> tuple[bool, int]:
        """How much is asked of a caller: a certificate, then the length of the network."""
        narrow = -1 if self.network is None else ipaddress.ip_network(self.network).prefixlen
        return self.certificate_sha256 is not None, narrow


def who_calls(peers: Iterable[Peer], address: str, certificate_sha256: str | None) -> Peer | None:
    """Return the peer that calls: the one of which most is asked.

    Args:
        peers: All of its AE title.
        address: From which it calls.
        certificate_sha256: Of the certificate that it proved to hold, if any.

    Returns:
        None where nobody fits, or where two fit equally well: a guess would give one site's images
        to another.
    """
    fitting = [peer for peer in peers if peer.admits(address, certificate_sha256)]
    fitting.sort(key=lambda peer: peer._proof, reverse=True)  # noqa: SLF001 - of its own class
    if len(fitting) > 1 and fitting[0]._proof == fitting[1]._proof:  # noqa: SLF001 - the same
        return None
    return fitting[0] if fitting else None


def valid_ae_title(text: str) -> str:
    """Return an AE title without the spaces around it, which have no meaning.

    Raises:
        InvalidRequest: It is empty or too long, or holds a character that no AE title has.
    """
    if not _AE_TITLE.fullmatch(text.strip(" ")):
        raise InvalidRequest("an AE title has 1 to 16 ASCII characters, no backslash")
    return text.strip(" ")


def valid_network(text: str) -> str:
    """Return a network in its usual form.

    Raises:
        InvalidRequest: It is no address and no network.
    """
    try:
        # A zone (fe80::1%eth0) is one machine's.
        return str(ipaddress.ip_network("" if "%" in text else text))
    except ValueError as error:
        raise InvalidRequest("a network is an address, or address/length as 10.1.2.0/24") from error


def valid_certificate_digest(text: str) -> str:
    """Return a digest of a certificate without colons, in lower case.

    Raises:
        InvalidRequest: It is no SHA-256.
    """
    digest = text.replace(":", "").lower()
    if not _DIGEST.fullmatch(digest):
        raise InvalidRequest("a certificate is named by its SHA-256 in 64 hexadecimal digits")
    return digest

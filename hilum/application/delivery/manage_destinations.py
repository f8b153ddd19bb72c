"""Destinations of sites: where results go."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from hilum.application.ports.deliveries import DeliveryFilter
from hilum.domain.audit import AuditEvent
from hilum.domain.delivery import DELIVERY
from hilum.domain.destination import (
    Destination,
    DestinationKind,
    EncodingOptions,
    ObjectKind,
    When,
)
from hilum.domain.errors import InvalidRequest, NotFound
from hilum.domain.peer import valid_ae_title
from hilum.domain.principal import Permission

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hilum.application.ports.pacs import Pacs
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.domain.principal import Principal

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_HOST: Final = re.compile(r"[0-9A-Za-z.:_-]{1,253}")
_LONGEST_URL: Final = 500
_MOST_ASSOCIATIONS: Final = 32
_SERIES_NUMBERS: Final = range(1, 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedDestination:
    """A destination as an administrator names it, see :class:`Destination`.

    Either ``ae_title``, ``host`` and ``port`` are given, or ``url``.
    """

    site: str
    name: str
    ae_title: str = ""
    host: str = ""
    port: int = 0
    url: str = ""
    calling_ae: str = "HILUM"
    tls: bool = False
    objects: tuple[ObjectKind, ...] = (ObjectKind.SR, ObjectKind.SC)
    options: EncodingOptions = field(default_factory=EncodingOptions)
    when: When = When.ALWAYS
    weak_labels: bool = True
    commitment: bool = False
    max_associations: int = 2


class ManageDestinations:
    """Destinations of sites. Every change is audited.

    Every method raises:
        NotPermitted: The principal does not manage the site.
        DatabaseUnavailable: Nothing changed.
    """

    def __init__(
        self, *, unit_of_work: UnitOfWork, open_pacs: Callable[[DestinationKind], Pacs]
    ) -> None:
        """Prepare.

        Args:
            unit_of_work: Holds the rows.
            open_pacs: Returns what asks a destination of a kind whether it answers.
        """
        self._unit_of_work = unit_of_work
        self._open_pacs = open_pacs

    def add(
        self, wanted: WantedDestination, principal: Principal, request_id: str = ""
    ) -> Destination:
        """Add a destination. Results of jobs that end from now on go there.

        Raises:
            InvalidRequest: A part is none of its kind, or the site has a destination of that name.
        """
        principal.require(Permission.MANAGE_SITE, wanted.site)
        with self._unit_of_work.begin() as transaction:
            destination = _destination(wanted, transaction)
            if not transaction.destinations.add(destination):
                raise InvalidRequest(f"site {wanted.site} has a destination {wanted.name}")
            flows = transaction.flows(DELIVERY.kind)
            flows.limit(destination.id, destination.max_associations)
            _audit(transaction, "added", destination, principal, request_id)
        return destination

    def enable(
        self, destination_id: str, principal: Principal, request_id: str = "", *, enabled: bool
    ) -> Destination:
        """Send results to a destination or none from now on. What waits is still sent.

        Raises:
            NotFound: No such destination for this principal.
        """

        def change(transaction: Transaction, destination: Destination) -> Destination:
            changed = replace(destination, enabled=enabled)
            transaction.destinations.change(changed)
            return changed

        act = "enabled" if enabled else "disabled"
        return self._change(destination_id, act, principal, request_id, change)

    def remove(
        self, destination_id: str, principal: Principal, request_id: str = ""
    ) -> Destination:
        """Remove a destination to which nothing was ever to be sent. Others are disabled.

        Raises:
            NotFound: No such destination for this principal.
            InvalidRequest: It has deliveries, whose history names it.
        """

        def change(transaction: Transaction, destination: Destination) -> Destination:
            which = DeliveryFilter(destination_id=destination.id)
            if transaction.deliveries.newest(which, None, 1):
                raise InvalidRequest(f"{destination.id} has deliveries: disable it instead")
            transaction.destinations.remove(destination.id)
            return destination

        return self._change(destination_id, "removed", principal, request_id, change)

    def all(self, principal: Principal) -> Sequence[Destination]:
        """Return the destinations of the sites that the principal manages, by site and name."""
        principal.require(Permission.MANAGE_SITE)
        with self._unit_of_work.begin(write=False) as transaction:
            found = transaction.destinations.all()
        return [one for one in found if principal.holds(Permission.MANAGE_SITE, one.site)]

    def echo(self, destination_id: str, principal: Principal) -> float:
        """Ask whether a destination answers.

        Returns:
            Seconds that it took.

        Raises:
            NotFound: No such destination for this principal.
            DestinationUnavailable: It does not answer.
            DestinationRefuses: It rejects us.
        """
        with self._unit_of_work.begin(write=False) as transaction:
            destination = _visible(transaction, destination_id, principal)
        return self._open_pacs(destination.kind).echo(destination)

    def _change(
        self,
        destination_id: str,
        act: str,
        principal: Principal,
        request_id: str,
        change: Callable[[Transaction, Destination], Destination],
    ) -> Destination:
        with self._unit_of_work.begin() as transaction:
            destination = _visible(transaction, destination_id, principal)
            changed = change(transaction, destination)
            _audit(transaction, act, changed, principal, request_id)
        return changed


def _visible(transaction: Transaction, destination_id: str, principal: Principal) -> Destination:
    principal.require(Permission.MANAGE_SITE)
    found = transaction.destinations.get(destination_id)
    if found is None or not principal.holds(Permission.MANAGE_SITE, found.site):
        raise NotFound(f"no destination {destination_id}")
    return found


def _destination(wanted: WantedDestination, transaction: Transaction) -> Destination:
    if not _NAME.fullmatch(wanted.name):
        raise InvalidRequest("a name has 1 to 32 lower-case letters, digits and hyphens")
    if not wanted.objects:
        raise InvalidRequest(f"name an object at least: {', '.join(ObjectKind)}")
    if not 1 <= wanted.max_associations <= _MOST_ASSOCIATIONS:
        raise InvalidRequest(f"a destination has 1 to {_MOST_ASSOCIATIONS} associations")
    if wanted.options.series_number not in _SERIES_NUMBERS:
        raise InvalidRequest("a series number is 1 to 999999")
    known: dict[str, Any] = asdict(wanted) | {
        "options": wanted.options,
        "objects": tuple(dict.fromkeys(wanted.objects)),
        "calling_ae": valid_ae_title(wanted.calling_ae),
    }
    name = known.pop("name")
    kind = DestinationKind.STOW if wanted.url else DestinationKind.C_STORE
    known |= _valid_url(wanted) if wanted.url else _valid_peer(wanted)
    return Destination(id=f"{wanted.site}/{name}", kind=kind, created_at=transaction.now, **known)


def _valid_peer(wanted: WantedDestination) -> dict[str, Any]:
    if not 0 < wanted.port < 65536:  # noqa: PLR2004 - ports of TCP
        raise InvalidRequest("a port is 1 to 65535")
    if not _HOST.fullmatch(wanted.host):
        raise InvalidRequest("a host is a name or an address")
    return {"ae_title": valid_ae_title(wanted.ae_title)}


def _valid_url(wanted: WantedDestination) -> dict[str, Any]:
    if wanted.ae_title or wanted.host or wanted.port:
        raise InvalidRequest("a destination has an AE title, a host and a port, or a URL")
    if wanted.commitment:
        raise InvalidRequest("storage commitment is asked of C-STORE destinations only")
    parts = urlsplit(wanted.url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise InvalidRequest("a URL begins with http:// or https:// and has no query")
    if parts.username or parts.password or len(wanted.url) > _LONGEST_URL:
        raise InvalidRequest("a URL has no password in it, and at most 500 characters")
    return {"url": wanted.url.rstrip("/"), "tls": parts.scheme == "https"}


def _audit(
    transaction: Transaction,
    act: str,
    destination: Destination,
    principal: Principal,
    request_id: str,
) -> None:
    where = destination.url or f"{destination.ae_title}@{destination.host}:{destination.port}"
    objects = ",".join(kind.value for kind in destination.objects)
    transaction.audit.append(
        [
            AuditEvent(
                actor=principal,
                action=f"destination.{act}",
                object_type="destination",
                object_id=destination.id,
                at=transaction.now,
                request_id=request_id,
                details={"site": destination.site, "address": where, "objects": objects},
            )
        ]
    )

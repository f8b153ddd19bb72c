"""``hilum pacs``: DICOM peers of sites, and what their associations came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from hilum.application.access.manage_peers import WantedPeer
from hilum_cli.failure import readable
from hilum_cli.local_principal import local_principal
from hilum_cli.options import database_of, database_options
from hilum_cli.table import print_prose, print_table

if TYPE_CHECKING:
    from hilum.domain.association import Association
    from hilum.domain.peer import Peer

_PEERS: Final = ("site", "AE title", "listens at", "calls from", "certificate", "may")
_ASSOCIATIONS: Final = ("began", "calling", "called", "from", "site", "outcome", "objects")


@click.group("pacs")
def pacs() -> None:
    """Show and set which DICOM applications may send, and show what they did."""


@pacs.group("peers")
def peers() -> None:
    """Show and set the DICOM peers of sites.

    A peer is known by its AE title. It may be held to a network and to a certificate, too. Two
    sites may have peers of one AE title, if these are told apart by one of both.
    """


@peers.command("list")
@database_options
@readable
def list_peers(*, database_url: str | None) -> None:
    """List peers."""
    found = database_of(database_url).peers.all(local_principal())
    print_table(_PEERS, [_peer_row(peer) for peer in found])


@peers.command("add")
@click.argument("ae_title")
@click.option("--site", required=True, help="Owner of what it sends.")
@click.option("--host", help="Where it listens, to send to it.")
@click.option("--port", type=click.IntRange(1, 65535), help="Its port there.")
@click.option("--network", help="Addresses from which it may call, as 10.1.2.0/24.")
@click.option(
    "--certificate", "certificate_sha256", help="SHA-256 of its certificate: it must call over TLS."
)
@click.option("--may-send/--may-not-send", default=True, show_default=True)
@click.option("--may-query/--may-not-query", default=False, show_default=True)
@database_options
@readable
def add_peer(*, database_url: str | None, **wanted: Any) -> None:
    """Add a peer. The audit log keeps who did."""
    peer = database_of(database_url).peers.add(WantedPeer(**wanted), local_principal())
    print_prose(f"site {peer.site}: {peer.ae_title} is a peer")


@peers.command("remove")
@click.argument("ae_title")
@click.option("--site", required=True, help="The site that it is a peer of.")
@database_options
@readable
def remove_peer(*, ae_title: str, site: str, database_url: str | None) -> None:
    """Remove a peer. Associations that it has go on until they end."""
    peer = database_of(database_url).peers.remove(site, ae_title, local_principal())
    print_prose(f"site {peer.site}: {peer.ae_title} is no peer any more")


@pacs.command("associations")
@click.option("--rejected", is_flag=True, help="Only those that were rejected or aborted.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@database_options
@readable
def list_associations(*, rejected: bool, limit: int, database_url: str | None) -> None:
    """List associations, the newest first, and why they were rejected."""
    accepted = False if rejected else None
    shown = database_of(database_url).associations.newest(
        local_principal(), limit, accepted=accepted
    )
    print_table(_ASSOCIATIONS, [_association_row(one) for one in shown])


def _peer_row(peer: Peer) -> tuple[str, ...]:
    may = [word for word, held in (("send", peer.may_send), ("query", peer.may_query)) if held]
    digest = peer.certificate_sha256
    return (
        peer.site,
        peer.ae_title,
        f"{peer.host}:{peer.port}" if peer.host else "",
        peer.network or "any",
        f"{digest[:16]}..." if digest else "",
        ", ".join(may),
    )


def _association_row(one: Association) -> tuple[str, ...]:
    counts = ((one.stored, "stored"), (one.refused, "refused"), (one.failed, "failed"))
    return (
        one.began_at.isoformat(timespec="seconds"),
        one.calling_ae,
        one.called_ae,
        one.address,
        one.site or "",
        f"{one.outcome}: {one.reason}" if one.reason else one.outcome.value,
        ", ".join(f"{number} {word}" for number, word in counts if number),
    )

"""``hilum pacs destinations``, ``deliveries``, ``echo``, ``replay`` and ``discard``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from hilum.application.delivery.manage_destinations import WantedDestination
from hilum.application.ports.deliveries import DeliveryFilter
from hilum.domain.delivery import DeliveryState, ObjectState
from hilum.domain.destination import EncodingOptions, ObjectKind, When
from hilum_cli.commands.pacs import pacs
from hilum_cli.failure import USAGE, Failure, readable
from hilum_cli.local_principal import local_principal
from hilum_cli.options import database_of, database_options
from hilum_cli.table import print_prose, print_table

__all__ = ["pacs"]

if TYPE_CHECKING:
    from uuid import UUID

    from hilum.domain.delivery import Delivery
    from hilum.domain.destination import Destination

_DESTINATIONS: Final = ("destination", "address", "objects", "when", "state")
_DELIVERIES: Final = ("delivery", "queued", "destination", "job", "state", "objects", "reason")


@pacs.group("destinations")
def destinations() -> None:
    """Show and set where results of sites go."""


@destinations.command("list")
@database_options
@readable
def list_destinations(*, database_url: str | None) -> None:
    """List destinations."""
    found = database_of(database_url).destinations.all(local_principal())
    print_table(_DESTINATIONS, [_destination_row(one) for one in found])


def _read_objects(_context: object, _option: object, given: str) -> tuple[ObjectKind, ...]:
    names = [name.strip() for name in given.split(",")]
    if unknown := [name for name in names if name not in tuple(ObjectKind)]:
        raise click.BadParameter(f"{unknown[0]!r} is none of {', '.join(ObjectKind)}")
    return tuple(ObjectKind(name) for name in names)


@destinations.command("add")
@click.argument("name")
@click.option("--site", required=True, help="Whose results go there.")
@click.option("--ae-title", default="", help="Its AE title, with --host and --port: C-STORE.")
@click.option("--host", default="", help="Where it listens.")
@click.option("--port", type=click.IntRange(1, 65535), default=None, help="Its port there.")
@click.option("--url", default="", help="Its DICOMweb service, as https://pacs/dicom-web: STOW-RS.")
@click.option("--calling-ae", default="HILUM", show_default=True, help="What Hilum calls itself.")
@click.option("--tls/--no-tls", default=False, show_default=True, help="Associations over TLS.")
@click.option(
    "--objects",
    default="sr,sc",
    show_default=True,
    callback=_read_objects,
    help=f"What is sent, in this order: {', '.join(ObjectKind)}.",
)
@click.option("--when", type=click.Choice([when.value for when in When]), default="always")
@click.option("--weak-labels/--no-weak-labels", default=True, show_default=True)
@click.option("--commitment", is_flag=True, help="Ask for storage commitment.")
@click.option("--comprehensive-sr", is_flag=True, help="Comprehensive SR, not Comprehensive 3D SR.")
@click.option("--regions-apart", is_flag=True, help="SR for OHIF: see docs/pacs.md.")
@click.option("--jpeg-2000-seg", is_flag=True, help="SEG in JPEG 2000 lossless.")
@click.option("--series-number", type=int, default=9000, show_default=True)
@click.option("--max-associations", type=int, default=2, show_default=True)
@database_options
@readable
def add_destination(*, database_url: str | None, **given: Any) -> None:
    """Add a destination. Results of images that end from now on go there."""
    options = EncodingOptions(
        comprehensive_sr=given.pop("comprehensive_sr"),
        regions_apart=given.pop("regions_apart"),
        jpeg_2000_seg=given.pop("jpeg_2000_seg"),
        series_number=given.pop("series_number"),
    )
    port, when = given.pop("port") or 0, When(given.pop("when"))
    wanted = WantedDestination(**given, port=port, when=when, options=options)
    added = database_of(database_url).destinations.add(wanted, local_principal())
    print_prose(f"site {added.site}: results go to {added.name}, {_address(added)}")


@destinations.command("enable")
@click.argument("destination")
@database_options
@readable
def enable_destination(*, destination: str, database_url: str | None) -> None:
    """Send results to a destination, named SITE/NAME, from now on."""
    manage = database_of(database_url).destinations
    print_prose(f"{manage.enable(destination, local_principal(), enabled=True).id} is enabled")


@destinations.command("disable")
@click.argument("destination")
@database_options
@readable
def disable_destination(*, destination: str, database_url: str | None) -> None:
    """Send nothing more to a destination. What waits for it is still sent."""
    manage = database_of(database_url).destinations
    print_prose(f"{manage.enable(destination, local_principal(), enabled=False).id} is disabled")


@destinations.command("remove")
@click.argument("destination")
@database_options
@readable
def remove_destination(*, destination: str, database_url: str | None) -> None:
    """Remove a destination that never had a delivery."""
    removed = database_of(database_url).destinations.remove(destination, local_principal())
    print_prose(f"{removed.id} is no destination any more")


@pacs.command("echo")
@click.argument("destination")
@database_options
@readable
def echo(*, destination: str, database_url: str | None) -> None:
    """Ask a destination, named SITE/NAME, whether it answers: C-ECHO, or a query over HTTP."""
    seconds = database_of(database_url).destinations.echo(destination, local_principal())
    print_prose(f"{destination} answered within {seconds * 1000:.0f} ms")


@pacs.command("deliveries")
@click.option("--state", type=click.Choice([state.value for state in DeliveryState]))
@click.option("--destination", help="Only to this one, named SITE/NAME.")
@click.option("--job", "job_id", type=click.UUID, help="Only of this job.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@database_options
@readable
def list_deliveries(
    *,
    state: str | None,
    destination: str | None,
    job_id: UUID | None,
    limit: int,
    database_url: str | None,
) -> None:
    """List deliveries, the newest first, and why they failed."""
    states = None if state is None else frozenset({DeliveryState(state)})
    which = DeliveryFilter(states=states, destination_id=destination, job_id=job_id)
    found = database_of(database_url).deliveries.newest(which, local_principal(), limit=limit)
    print_table(_DELIVERIES, [_delivery_row(one) for one in found])


@pacs.command("replay")
@click.argument("deliveries", nargs=-1, type=click.UUID, metavar="DELIVERY...")
@click.option("--all-failed", is_flag=True, help="Every dead letter, 1000 at most.")
@click.option("--destination", help="With --all-failed: only those to this one.")
@database_options
@readable
def replay(
    *,
    deliveries: tuple[UUID, ...],
    all_failed: bool,
    destination: str | None,
    database_url: str | None,
) -> None:
    """Queue dead letters again. What the destination did not take is sent."""
    if all_failed == bool(deliveries):
        raise Failure("name deliveries, or give --all-failed", USAGE)
    operate = database_of(database_url).deliveries
    if all_failed:
        failed = frozenset({DeliveryState.FAILED})
        which = DeliveryFilter(states=failed, destination_id=destination)
        deliveries = tuple(one.id for one in operate.newest(which, local_principal(), limit=1000))
    for delivery_id in deliveries:
        operate.retry(delivery_id, local_principal())
    print_prose(f"{len(deliveries)} queued again")


@pacs.command("discard")
@click.argument("delivery", type=click.UUID)
@click.option("--reason", required=True, help="Why. It is kept with the delivery.")
@database_options
@readable
def discard(*, delivery: UUID, reason: str, database_url: str | None) -> None:
    """Give up a delivery that waits or failed."""
    database_of(database_url).deliveries.discard(delivery, reason, local_principal())
    print_prose(f"{delivery} is discarded")


def _address(one: Destination) -> str:
    return one.url or f"{one.ae_title}@{one.host}:{one.port}{' over TLS' if one.tls else ''}"


def _destination_row(one: Destination) -> tuple[str, ...]:
    objects = ",".join(kind.value for kind in one.objects)
    return (one.id, _address(one), objects, one.when, "enabled" if one.enabled else "disabled")


def _delivery_row(one: Delivery) -> tuple[str, ...]:
    told = [
        f"{item.kind}: {item.state}"
        + (f" ({item.words})" if item.words and item.state is not ObjectState.REFUSED else "")
        for item in one.objects
    ]
    return (
        str(one.id),
        one.queued_at.isoformat(timespec="seconds"),
        one.destination_id,
        str(one.job_id),
        one.state.value,
        ", ".join(told),
        "" if one.reason is None else f"{one.reason.code}: {one.reason.detail}",
    )

"""``hilum store``: the object store."""

from __future__ import annotations

import click

from hilum_cli.failure import USAGE, Failure, readable
from hilum_cli.settings import CliSettings


@click.group("store")
def store() -> None:
    """Make the object store ready to take films."""


@store.command()
@click.option("--object-store-url", help="Address of the object store [HILUM_OBJECT_STORE_URL].")
@readable
def prepare(*, object_store_url: str | None) -> None:
    """Make the bucket or folder if it is missing; safe to run at any time.

    Needs the right to make a bucket. Where a hospital makes buckets itself, leave it out.
    """
    address = object_store_url or CliSettings().object_store.plain
    if not address:
        raise Failure(
            "which object store? pass --object-store-url or set HILUM_OBJECT_STORE_URL", USAGE
        )
    # Loaded here: a command that talks to the gateway does not wait for SQLAlchemy and MinIO.
    from hilum_cli.bootstrap import prepare_object_store  # noqa: PLC0415

    prepare_object_store(address)
    click.echo("the object store is ready")

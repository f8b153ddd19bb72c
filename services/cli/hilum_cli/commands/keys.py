"""``hilum keys``: API keys, made on the database itself."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import click

from hilum.domain.principal import ALL_SITES, Role
from hilum_cli.api_key import writable_key_file
from hilum_cli.failure import readable
from hilum_cli.local_principal import local_principal
from hilum_cli.options import database_of, database_options
from hilum_cli.table import print_table

_COLUMNS = ("id", "name", "role", "site", "created", "revoked")


@click.group("keys")
def keys() -> None:
    """Make, list and revoke API keys. Works on the database, not through the gateway."""


@keys.command()
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--name", required=True, help="For people: who or what the key is for.")
@click.option("--site", help="Bind the key to one site.")
@click.option("--if-none", is_flag=True, help="Make one only where there is no key yet.")
@click.option(
    "--write",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the key to a file that only its owner can read, instead of printing it.",
)
@database_options
@readable
def create(
    *,
    role: str,
    name: str,
    site: str | None,
    if_none: bool,
    write: Path | None,
    database_url: str | None,
) -> None:
    """Make a key. It is shown once: the database keeps a digest."""
    opened = database_of(database_url)
    with nullcontext(click.echo) if write is None else writable_key_file(write) as hand_over:
        key = opened.keys.create(
            name, Role(role), local_principal(), site=site or ALL_SITES, only_if_none=if_none
        )
        if key is None:
            click.echo("there is a key already, none was made", err=True)
            return
        hand_over(key)
    where = "shown this once" if write is None else f"written to {write}"
    click.echo(f"{role} key {name}: {where}", err=True)


@keys.command("list")
@database_options
@readable
def list_keys(*, database_url: str | None) -> None:
    """List every key, revoked ones too; never the secret."""
    rows = [
        (
            key.id,
            key.name,
            key.role.value,
            key.site,
            key.created_at.isoformat(timespec="seconds"),
            key.revoked_at.isoformat(timespec="seconds") if key.revoked_at else "",
        )
        for key in database_of(database_url).keys.all(local_principal())
    ]
    print_table(_COLUMNS, rows)


@keys.command()
@click.argument("key_id", metavar="ID")
@database_options
@readable
def revoke(*, key_id: str, database_url: str | None) -> None:
    """Revoke a key by its id; it stops working with the next request."""
    key = database_of(database_url).keys.revoke(key_id, local_principal())
    click.echo(f"revoked {key.role.value} key {key.name} ({key.id})")

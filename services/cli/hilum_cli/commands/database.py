"""``hilum db``: the schema of the database."""

from __future__ import annotations

import click

from hilum_cli.failure import readable
from hilum_cli.options import database_of, database_options


@click.group("db")
def database() -> None:
    """Bring the database to this release's schema."""


@database.command()
@database_options
@readable
def upgrade(*, database_url: str | None) -> None:
    """Run the migrations that are missing; safe to run at any time, by several at once."""
    opened = database_of(database_url)
    before = opened.current()
    opened.upgrade()
    after = opened.current()
    click.echo(f"schema {after}" if before == after else f"schema {before or 'none'} -> {after}")


@database.command()
@database_options
@readable
def current(*, database_url: str | None) -> None:
    """Print the schema's revision; ``none`` for an empty database."""
    click.echo(database_of(database_url).current() or "none")


@database.command()
@database_options
@readable
def check(*, database_url: str | None) -> None:
    """Exit with 0 if the database has the schema that this release needs, else with 1."""
    database_of(database_url).check()
    click.echo("the schema is this release's")

"""``hilum db``: the schema of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hilum_cli.failure import readable
from hilum_cli.options import database_of, database_options

if TYPE_CHECKING:
    from hilum_cli.bootstrap import Database


@click.group("db")
def database() -> None:
    """Bring the database to this release's schema."""


@database.command()
@database_options
@readable
def upgrade(*, database_url: str | None) -> None:
    """Run the migrations that are missing; safe to run at any time, by several at once.

    After a rollback the database is ahead of the release. Where this release can work with it,
    nothing is done and the exit code is 0; else it is 1, with the code schema_incompatible.
    """
    opened = database_of(database_url)
    before = opened.current()
    opened.upgrade()
    after = opened.current()
    if after is not None and after > opened.wanted:
        click.echo(f"nothing to do: {_ahead(opened, after)}")
    else:
        click.echo(
            f"schema {after}" if before == after else f"schema {before or 'none'} -> {after}"
        )


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
    """Exit with 0 if this release can work with the database's schema, else with 1."""
    opened = database_of(database_url)
    present = opened.check()
    same = present == opened.wanted
    click.echo("the schema is this release's" if same else _ahead(opened, present))


def _ahead(opened: Database, present: str) -> str:
    return (
        f"schema {present} is newer than this release's {opened.wanted}, and this release can "
        "work with it"
    )

"""``hilum backup``: copies of the platform in a store of their own."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import click

from hilum.domain.backup import manifest_document
from hilum.domain.errors import ObjectMissing
from hilum_cli.backups import (
    backups_of,
    dump_of,
    hand_over_to,
    manifest_of,
    megabytes,
    platform_options,
    restoring_of,
    show_missing,
    store_option,
    told_missing,
)
from hilum_cli.commands.restore import check, restore
from hilum_cli.failure import readable
from hilum_cli.table import print_table

if TYPE_CHECKING:
    from hilum.domain.backup import BackupManifest

_COLUMNS: Final = (
    "backup",
    "made",
    "release",
    "schema",
    "objects",
    "MB",
    "dump MB",
    "missing",
    "audit",
)


@click.group("backup")
def backup() -> None:
    """Back the platform up into a store of its own, and bring it back.

    A backup store is a bucket or folder that holds nothing else; `hilum store prepare
    --object-store-url` makes one. All backups of one platform share the films in it.
    """


@backup.command()
@store_option("--to")
@click.option(
    "--dump",
    type=click.Path(dir_okay=False, exists=True),
    help="A dump that `hilum backup script` has made; without it pg_dump is run here.",
)
@platform_options
@readable
def create(
    *, store: str | None, dump: str | None, database_url: str | None, object_store_url: str | None
) -> None:
    """Make a backup while the platform works.

    The dump comes first and the objects second, so that no film of the dump lacks its object.
    Where films have lost their objects, the backup is made and the command exits with 1
    (object_missing).
    """
    backups = backups_of(store)
    platform = restoring_of(backups, database_url, object_store_url)
    made = platform.create(dump_of(dump) if dump else platform.database.dump())
    click.echo(f"backup {made.name} is complete: {_told(made)}")
    if made.database.rows is None:
        click.echo(
            "beside the dump was no .facts file: a restore cannot compare rows and audit log",
            err=True,
        )
    if made.missing:
        show_missing(backups, made)
        raise ObjectMissing(told_missing(made))


@backup.command("list")
@store_option("--from")
@click.option("--json", "as_json", is_flag=True, help="Print the manifests as JSON.")
@readable
def list_backups(*, store: str | None, as_json: bool) -> None:
    """List the complete backups, oldest first."""
    backups = backups_of(store).store
    names, unfinished = backups.names()
    manifests = [backups.manifest(name) for name in names]
    if as_json:
        click.echo(json.dumps([manifest_document(one) for one in manifests], indent=2))
    else:
        print_table(_COLUMNS, [_row(manifest) for manifest in manifests])
    if unfinished:
        click.echo(f"begun and not finished: {', '.join(unfinished)}", err=True)


@backup.command()
@store_option("--from")
@click.option("--at", metavar="NAME", help="Which backup; the newest if left out.")
@click.option("--deep", is_flag=True, help="Read every object, too, and compare its SHA-256.")
@readable
def verify(*, store: str | None, at: str | None, deep: bool) -> None:
    """Look whether a backup is whole; exit with 1 if it is not.

    Reads the dump and the list of objects, and looks for every object and its size. A backup of
    films that were lost already is not whole, either (object_missing).
    """
    backups = backups_of(store)
    verified = backups.verify(manifest_of(backups, at), deep=deep)
    how = "read" if verified.deep else "there"
    click.echo(
        f"backup {verified.manifest.name} is whole: dump and list read, "
        f"{verified.objects} objects {how}"
    )
    if verified.manifest.missing:
        show_missing(backups, verified.manifest)
        click.echo(told_missing(verified.manifest), err=True)
        if verified.manifest.lost:
            raise ObjectMissing(f"{verified.manifest.lost} films cannot come back from this backup")


@backup.command()
@store_option("--from")
@click.option("--keep", type=click.IntRange(min=1), required=True, help="The newest so many stay.")
@click.option(
    "--keep-days", type=click.IntRange(min=1), help="And those that are not so many days old."
)
@readable
def prune(*, store: str | None, keep: int, keep_days: int | None) -> None:
    """Remove old backups, those that were never finished, and films that no backup needs."""
    young = timedelta(days=keep_days) if keep_days else None
    pruned = backups_of(store).prune(keep=keep, younger_than=young)
    click.echo(
        f"removed {len(pruned.backups)} backups, {len(pruned.unfinished)} unfinished ones and "
        f"{pruned.objects} objects of {megabytes(pruned.object_bytes)} MB"
    )


@backup.command()
@store_option("--from")
@click.option("--at", metavar="NAME", help="Which backup; the newest if left out.")
@click.option("--out", type=click.Path(dir_okay=False), required=True, help="File to write.")
@readable
def fetch(*, store: str | None, at: str | None, out: str) -> None:
    """Write the dump of a backup to a file, to look at it with pg_restore."""
    backups = backups_of(store)
    manifest = manifest_of(backups, at)
    hand_over_to(out)(backups.store.dump(manifest))
    click.echo(f"dump of backup {manifest.name}: {out}")


@backup.command()
@click.option("--out", type=click.Path(dir_okay=False), help="File to write; stdout if left out.")
@readable
def script(*, out: str | None) -> None:
    """Print a script that dumps PostgreSQL where only its own programs are installed.

    `sh dump.sh database.dump` needs HILUM_DATABASE_URL, psql and pg_dump; `hilum backup create
    --dump database.dump` then takes what it has written.
    """
    # Loaded here: a command that talks to the gateway does not wait for SQLAlchemy.
    from hilum_cli.bootstrap import script_that_dumps  # noqa: PLC0415

    if out is None:
        click.echo(script_that_dumps(), nl=False)
        return
    hand_over_to(out)([script_that_dumps().encode()])


backup.add_command(restore)
backup.add_command(check)


def _row(manifest: BackupManifest) -> tuple[str, ...]:
    audit = manifest.database.audit
    return (
        manifest.name,
        manifest.made_at.isoformat(timespec="seconds"),
        manifest.hilum_version,
        manifest.database.schema or "unknown",
        str(manifest.objects),
        megabytes(manifest.object_bytes),
        megabytes(manifest.dump.size_bytes),
        "unknown" if manifest.missing is None else str(manifest.missing),
        f"{audit.sequence} {audit.hash[:12]}" if audit else "",
    )


def _told(manifest: BackupManifest) -> str:
    return (
        f"a dump of {megabytes(manifest.dump.size_bytes)} MB, "
        f"{manifest.objects} objects of {megabytes(manifest.object_bytes)} MB"
    )

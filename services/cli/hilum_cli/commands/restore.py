"""``hilum backup restore`` and ``hilum backup check``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from hilum_cli.backups import (
    backups_of,
    hand_over_to,
    manifest_of,
    megabytes,
    platform_options,
    restoring_of,
    store_option,
    told_missing,
)
from hilum_cli.failure import readable

if TYPE_CHECKING:
    from hilum.domain.backup import BackupManifest
    from hilum_cli.bootstrap import Restoring

_at = click.option("--at", metavar="NAME", help="Which backup; the newest if left out.")
_deep = click.option(
    "--deep", is_flag=True, help="Read every film back, too, and compare its SHA-256."
)


@click.command()
@store_option("--from")
@_at
@click.option(
    "--force",
    is_flag=True,
    help="Replace a database that holds films or is in use; leave foreign films in the store.",
)
@_deep
@click.option(
    "--dump-to",
    type=click.Path(dir_okay=False),
    help="Clear the database and write the dump to this file; pg_restore runs elsewhere.",
)
@platform_options
@readable
def restore(
    *,
    store: str | None,
    at: str | None,
    force: bool,
    deep: bool,
    dump_to: str | None,
    database_url: str | None,
    object_store_url: str | None,
) -> None:
    """Bring the platform back from a backup. Stop gateways and workers first.

    The backup is verified before anything changes. Objects come first, the database last, so that
    a restore that breaks off can be run again. What has come back is then compared with the
    backup: rows, the audit log's chain and its head, and every film.
    """
    begun = time.monotonic()
    backups = backups_of(store)
    platform = restoring_of(backups, database_url, object_store_url)
    manifest = manifest_of(backups, at)
    if manifest.missing:
        click.echo(told_missing(manifest), err=True)
    hand_over = hand_over_to(dump_to) if dump_to else None
    platform.restore(manifest, force=force, hand_over=hand_over)
    if dump_to:
        click.echo(
            f"the objects of backup {manifest.name} are back, its dump is in {dump_to}: load it "
            "with pg_restore, then run `hilum backup check`"
        )
        return
    _compare(platform, manifest, deep=deep)
    click.echo(
        f"restored in {time.monotonic() - begun:.1f} s: {manifest.objects} objects of "
        f"{megabytes(manifest.object_bytes)} MB; what was accepted after "
        f"{manifest.made_at.isoformat(timespec='seconds')} is not in it"
    )


@click.command()
@store_option("--from")
@_at
@_deep
@platform_options
@readable
def check(
    *,
    store: str | None,
    at: str | None,
    deep: bool,
    database_url: str | None,
    object_store_url: str | None,
) -> None:
    """Compare a restored platform with its backup, before it takes films in again."""
    backups = backups_of(store)
    platform = restoring_of(backups, database_url, object_store_url)
    manifest = manifest_of(backups, at)
    if manifest.missing:
        click.echo(told_missing(manifest), err=True)
    _compare(platform, manifest, deep=deep)


def _compare(platform: Restoring, manifest: BackupManifest, *, deep: bool) -> None:
    checked = platform.check(manifest, deep=deep)
    counted = "as in the backup" if checked.counted else "not counted when it was made"
    compared = "as in the backup" if checked.head_compared else "with no head to compare"
    how = "read" if deep else "there"
    click.echo(f"schema {checked.schema or 'none'}; {checked.rows} rows, {counted}")
    click.echo(f"audit log: {checked.audit_events} events, the chain is whole, {compared}")
    click.echo(f"films: {checked.films} {how}")
    if checked.expired:
        click.echo(f"films whose time was up while the backup was made: {checked.expired}")
    if checked.missing:
        click.echo(f"films that were lost before the backup was made: {checked.missing}")

"""Options that the commands about backups share, and what they lead to."""

from __future__ import annotations

import contextlib
import os
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hilum.application.backup.backup_store import mirror_key
from hilum.application.ports.database_copy import Dump
from hilum.domain.errors import NotFound
from hilum_cli.failure import USAGE, Failure
from hilum_cli.options import database_options
from hilum_cli.settings import CliSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hilum.domain.backup import BackupManifest
    from hilum_cli.bootstrap import Backups, Restoring

_CHUNK_BYTES: Final = 256 * 1024
_MEGABYTE: Final = 1_000_000
_NAMED: Final = 10


def store_option(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--to`` or ``--from``: the address of the backup store."""
    return click.option(
        name,
        "store",
        metavar="ADDRESS",
        help="Address of the backup store, file:// or s3:// [HILUM_BACKUP_STORE_URL].",
    )


def platform_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--database-url`` and ``--object-store-url``."""
    store = click.option(
        "--object-store-url", help="Address of the object store [HILUM_OBJECT_STORE_URL]."
    )
    return database_options(store(command))


def backups_of(address: str | None) -> Backups:
    """The backup store that the option, or else the environment, names.

    Raises:
        Failure: Neither does, or it is none.
    """
    address = address or CliSettings().backup_store.plain
    if not address:
        raise Failure("which backup store? pass its address or set HILUM_BACKUP_STORE_URL", USAGE)
    # Loaded here: a command that talks to the gateway does not wait for SQLAlchemy and MinIO.
    from hilum_cli.bootstrap import open_backups  # noqa: PLC0415

    try:
        return open_backups(address)
    except ValueError as error:
        raise Failure(str(error), USAGE) from error


def restoring_of(
    backups: Backups, database_url: str | None, object_store_url: str | None
) -> Restoring:
    """The platform that the options, or else the environment, name.

    Raises:
        Failure: Its database or its object store is not named, or that is none.
    """
    settings = CliSettings()
    database = database_url or settings.database.plain
    objects = object_store_url or settings.object_store.plain
    if not database or not objects:
        raise Failure(
            "which platform? pass --database-url and --object-store-url or set "
            "HILUM_DATABASE_URL and HILUM_OBJECT_STORE_URL",
            USAGE,
        )
    from hilum_cli.bootstrap import open_restoring  # noqa: PLC0415

    try:
        return open_restoring(backups, database, objects)
    except ValueError as error:
        raise Failure(str(error), USAGE) from error


def manifest_of(backups: Backups, name: str | None) -> BackupManifest:
    """The backup of a name, or the newest.

    Raises:
        NotFound: There is none.
    """
    if name is not None:
        return backups.store.manifest(name)
    newest = backups.store.newest()
    if newest is None:
        raise NotFound("the store holds no complete backup")
    return newest


@contextlib.contextmanager
def dump_of(path: str) -> Iterator[Dump]:
    """A dump that something else has made, and the facts beside it."""
    from hilum_cli.bootstrap import facts_of_dump  # noqa: PLC0415

    yield Dump(facts_of_dump(Path(path)), _read(Path(path)))


def hand_over_to(path: str) -> Callable[[Iterable[bytes]], None]:
    """Writes bytes to a file that this user and group can read; it is there whole or not at all."""

    def write(chunks: Iterable[bytes]) -> None:
        draft = f"{path}.part"
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
            with os.fdopen(descriptor, "wb") as file:
                for chunk in chunks:
                    file.write(chunk)
            Path(draft).replace(path)
        except OSError as error:
            raise Failure(f"{path} cannot be written: {error.strerror}") from error

    return write


def told_missing(manifest: BackupManifest) -> str:
    """Of the films that were missing when a backup was made: how many, and what is left of them."""
    copied = (manifest.missing or 0) - manifest.lost
    return (
        f"when backup {manifest.name} was made, the object store lacked {manifest.missing} films "
        f"that rows name, or held other bytes: {copied} are in the backup store from an earlier "
        f"backup, {manifest.lost} in no backup"
    )


def show_missing(backups: Backups, manifest: BackupManifest) -> None:
    """Name the first of these films on stderr, with where their copies lie."""
    for film in islice(backups.store.missing(manifest), _NAMED):
        where = f"copied, {mirror_key(film.key)}" if film.mirrored else "in no backup"
        click.echo(f"missing: {film.key} ({where})", err=True)
    if (manifest.missing or 0) > _NAMED:
        click.echo(f"and {(manifest.missing or 0) - _NAMED} more", err=True)


def megabytes(size_bytes: int) -> str:
    """So many million bytes, with one place."""
    return f"{size_bytes / _MEGABYTE:.1f}"


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk

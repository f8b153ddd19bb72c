"""``hilum maintain``: what runs by the clock, such as a CronJob.

Each command prints one line. It exits with 0 when everything is as it should be, also where there
was nothing to do, and with another code only where a person should look.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from hilum.application.retention.expire_films import RetentionRule
from hilum.domain.errors import Transient
from hilum_cli.backups import megabytes, platform_options
from hilum_cli.failure import USAGE, Failure, readable
from hilum_cli.local_principal import local_principal
from hilum_cli.options import database_of, database_options
from hilum_cli.settings import CliSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hilum_cli.bootstrap import Retention

_JSON = click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")


@click.group("maintain")
def maintain() -> None:
    """Do what a platform needs from time to time; every command is safe to run again."""


@maintain.command("audit-partitions")
@click.option(
    "--ahead",
    type=click.IntRange(1, 12),
    default=2,
    show_default=True,
    help="Empty partitions to have ahead of the last event.",
)
@_JSON
@database_options
@readable
def audit_partitions(*, ahead: int, as_json: bool, database_url: str | None) -> None:
    """Make partitions of the audit log before they are needed."""
    stand = database_of(database_url).make_audit_partitions(ahead)
    if stand is None:
        _say("audit log: SQLite keeps it in one table, nothing to do", {"made": []}, as_json)
        return
    made = f"made {', '.join(stand.made)}" if stand.made else "none made"
    ahead_of = f"{_count(stand.ahead, 'partition')} ahead of event {stand.last_sequence}"
    told = f"audit log: {made}; {ahead_of}"
    facts = {
        "made": stand.made,
        "ahead": stand.ahead,
        "last_sequence": stand.last_sequence,
        "end": stand.end,
    }
    _say(told, facts, as_json)


@maintain.command("submissions")
@_JSON
@database_options
@readable
def submissions(*, as_json: bool, database_url: str | None) -> None:
    """Write what an older release did not: who sent each image, and in which request.

    Run it once, after the last process of a release before 0.3 has stopped. It works in batches
    while the platform runs, and goes on where it was interrupted.
    """
    written = database_of(database_url).back_fill_submissions()
    _say(f"submissions: {written} of an older release written", {"written": written}, as_json)


@maintain.command()
@click.option(
    "--films-days",
    type=click.IntRange(1),
    required=True,
    help="Remove films whose jobs ended more than so many days ago.",
)
@click.option("--site", help="Only films of this site.")
@click.option("--orphans", is_flag=True, help="Also remove objects that no row names.")
@click.option("--dry-run", is_flag=True, help="Only count what would be removed.")
@_JSON
@platform_options
@readable
def retention(
    *,
    films_days: int,
    site: str | None,
    orphans: bool,
    dry_run: bool,
    as_json: bool,
    database_url: str | None,
    object_store_url: str | None,
) -> None:
    """Remove films, and the previews made of them, after their time.

    Results, findings, heatmaps and the audit log stay, and the film's page says when the film was
    removed. Films whose jobs wait, run or are parked are never removed. A film that is sent again
    is kept again.
    """
    rule = RetentionRule(films_days, site)
    try:
        platform = _retention_of(database_url, object_store_url)
        platform.check()
        if dry_run:
            due = platform.expire.due(rule)
            facts = {"films": due.films, "size_bytes": due.size_bytes}
        else:
            done = platform.expire(rule, local_principal())
            facts = {"films": done.films, "size_bytes": done.size_bytes, "objects": done.objects}
        if orphans:
            swept = platform.sweep(local_principal(), dry_run=dry_run)
            facts |= {"orphans": swept.objects, "orphans_bytes": swept.size_bytes}
    except Transient as error:
        raise Failure(
            f"{error.code}: {error.detail}; what was removed is on record, run it again to go on"
        ) from error
    _say(_told(facts, rule, dry_run=dry_run), {**facts, "dry_run": dry_run}, as_json)


def _told(facts: Mapping[str, int], rule: RetentionRule, *, dry_run: bool) -> str:
    of_site = f" of site {rule.site}" if rule.site else ""
    would = "would remove" if dry_run else "removed"
    told = (
        f"retention: {would} {_count(facts['films'], 'film')}{of_site} "
        f"({megabytes(facts['size_bytes'])} MB) that ended more than {rule.days} days ago"
    )
    if "objects" in facts:
        told += f", {_count(facts['objects'], 'object')} with what earlier runs left"
    if "orphans" in facts:
        told += f"; {_count(facts['orphans'], 'orphan')} ({megabytes(facts['orphans_bytes'])} MB)"
    return told


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _retention_of(database_url: str | None, object_store_url: str | None) -> Retention:
    """What the options, or else the environment, name.

    Raises:
        Failure: The database or the object store is not named, or that is none.
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
    # Loaded here: a command that talks to the gateway does not wait for SQLAlchemy and MinIO.
    from hilum_cli.bootstrap import open_retention  # noqa: PLC0415

    try:
        return open_retention(database, objects, settings.delivery.plain_keys)
    except ValueError as error:
        raise Failure(str(error), USAGE) from error


def _say(told: str, facts: Mapping[str, Any], as_json: bool) -> None:  # noqa: FBT001 - one line each
    click.echo(json.dumps(facts) if as_json else told)

"""``hilum maintain``: what runs by the clock, such as a CronJob.

Each command prints one line. It exits with 0 when everything is as it should be, also where there
was nothing to do, and with another code only where a person should look.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from hilum_cli.failure import readable
from hilum_cli.options import database_of, database_options

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    told = f"audit log: {made}; {stand.ahead} partitions ahead of event {stand.last_sequence}"
    facts = {
        "made": stand.made,
        "ahead": stand.ahead,
        "last_sequence": stand.last_sequence,
        "end": stand.end,
    }
    _say(told, facts, as_json)


def _say(told: str, facts: Mapping[str, Any], as_json: bool) -> None:  # noqa: FBT001 - one line each
    click.echo(json.dumps(facts) if as_json else told)

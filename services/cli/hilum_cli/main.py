"""The ``hilum`` command."""

from __future__ import annotations

import click

from hilum_cli.commands.analyse import analyse
from hilum_cli.commands.audit import audit
from hilum_cli.commands.database import database
from hilum_cli.commands.jobs import discard, jobs, retry
from hilum_cli.commands.keys import keys
from hilum_cli.commands.status import status
from hilum_cli.commands.store import store


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def hilum() -> None:
    """Hilum reads chest X-rays. Research use only, not for diagnosis."""


for command in (analyse, status, jobs, retry, discard, database, store, keys, audit):
    hilum.add_command(command)


def main() -> None:
    """Run the command; exits the process with its code."""
    hilum(prog_name="hilum")

"""The ``hilum`` command."""

from __future__ import annotations

import logging
import os

import click

from hilum.runtime.plain_logs import start_plain_logging
from hilum.runtime.setting_groups import known_names
from hilum.runtime.settings import misnamed
from hilum_cli.commands.analyse import analyse
from hilum_cli.commands.audit import audit
from hilum_cli.commands.backup import backup
from hilum_cli.commands.bundle import bundle
from hilum_cli.commands.database import database
from hilum_cli.commands.flows import flows
from hilum_cli.commands.jobs import cancel, discard, expedite, jobs, reprioritise, retry
from hilum_cli.commands.keys import keys
from hilum_cli.commands.maintain import maintain
from hilum_cli.commands.models import models
from hilum_cli.commands.operations import operations
from hilum_cli.commands.pacs_delivery import pacs
from hilum_cli.commands.rules import rules
from hilum_cli.commands.selftest import selftest
from hilum_cli.commands.sites import sites
from hilum_cli.commands.status import status
from hilum_cli.commands.store import store
from hilum_cli.commands.thresholds import thresholds
from hilum_cli.settings import CliSettings


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def hilum() -> None:
    """Hilum reads chest X-rays. Research use only, not for diagnosis."""
    for sentence in misnamed(CliSettings, known_names(), os.environ):
        click.echo(f"warning: {sentence}", err=True)


COMMANDS = (
    analyse,
    status,
    selftest,
    jobs,
    retry,
    discard,
    cancel,
    expedite,
    reprioritise,
    operations,
    flows,
    sites,
    models,
    thresholds,
    rules,
    pacs,
    database,
    store,
    keys,
    audit,
    maintain,
    backup,
    bundle,
)

for command in COMMANDS:
    hilum.add_command(command)


def main() -> None:
    """Run the command; exits the process with its code."""
    start_plain_logging(logging.WARNING)
    hilum(prog_name="hilum")

"""``hilum rules``: what sites decide about their images."""

from __future__ import annotations

from typing import Final

import click

from hilum.domain.principal import DEFAULT_SITE
from hilum.domain.site_rule import CHOICES, Rule
from hilum_cli.failure import readable
from hilum_cli.local_principal import local_principal
from hilum_cli.options import database_of, database_options
from hilum_cli.table import print_prose, print_table

_LIST: Final = ("site", "rule", "value", "set", "by")


@click.group("rules")
def rules() -> None:
    """Show and set the rules of sites.

    for_processing: whether a site accepts DICOM images that hold raw detector values (FOR
    PROCESSING). No model was trained on such images. `refuse` holds where neither the site nor the
    site `default` says otherwise.

    not_for_us: how a DICOM sender is answered whose object is refused for what it is: raw, several
    frames, too small or too large. After `failure` some send it again for ever. With `success` only
    the refusal is kept.
    """


@rules.command("list")
@database_options
@readable
def list_rules(*, database_url: str | None) -> None:
    """List what was decided, and what holds where nothing was."""
    decided = database_of(database_url).rules.all()
    given = {(item.site, item.rule) for item in decided}
    rows = [
        (
            item.site,
            item.rule,
            item.value,
            item.set_at.isoformat(timespec="seconds"),
            item.set_by,
        )
        for item in decided
    ]
    shipped = [
        (DEFAULT_SITE, rule, values[0], "", "")
        for rule, values in CHOICES.items()
        if (DEFAULT_SITE, rule) not in given
    ]
    print_table(_LIST, [*shipped, *rows])


@rules.command("set")
@click.argument("rule", type=click.Choice([rule.value for rule in Rule]))
@click.argument("value")
@click.option("--site", required=True, help="The site that decides.")
@database_options
@readable
def set_rule(*, rule: str, value: str, site: str, database_url: str | None) -> None:
    """Set a rule of a site. The audit log keeps who did.

    It holds for images that are submitted from now on. Images that were refused can be sent again.
    """
    decided = database_of(database_url).rules.decide(site, rule, value, local_principal())
    print_prose(f"site {decided.site}: {decided.rule} is {decided.value}")

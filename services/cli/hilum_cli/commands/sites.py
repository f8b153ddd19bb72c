"""``hilum sites``: which sites there are, and what their work weighs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hilum.domain.site import LEAST_WEIGHT, MOST_WEIGHT
from hilum_cli.failure import readable
from hilum_cli.options import gateway_of, gateway_options
from hilum_cli.table import print_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@click.group("sites")
def sites() -> None:
    """Show sites and set their weights.

    While two sites wait, they are served in the proportion of their weights.
    """


@sites.command("list")
@gateway_options
@readable
def list_sites(*, url: str | None, api_key_file: Path | None) -> None:
    """List sites."""
    with gateway_of(url, api_key_file) as gateway:
        _print(gateway.get("sites"))


@sites.command("weight")
@click.argument("site")
@click.argument("number", type=click.FloatRange(LEAST_WEIGHT, MOST_WEIGHT))
@gateway_options
@readable
def weight(*, site: str, number: float, url: str | None, api_key_file: Path | None) -> None:
    """Set the weight of a site. What waits already keeps its place."""
    with gateway_of(url, api_key_file) as gateway:
        _print(gateway.put(f"sites/{site}/weight", {"weight": number}))


def _print(document: Mapping[str, Any]) -> None:
    rows = [(site["site"], f"{site['weight']:g}") for site in document["sites"]]
    print_table(("site", "weight"), rows)

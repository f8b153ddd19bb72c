"""Whether what was set for a site decides there already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hilum.domain.principal import DEFAULT_SITE

if TYPE_CHECKING:
    from hilum.domain.model import ModelManifest
    from hilum_cli.bootstrap import Models


def tell_if_in_force(opened: Models, manifest: ModelManifest, site: str) -> None:
    """Say what is left to do where the site does not read with what was set."""
    for version in opened.manage.at_site(site):
        if (version.manifest.name, version.manifest.version) != (manifest.name, manifest.version):
            continue
        owner = version.promotion.site if version.promotion else DEFAULT_SITE
        if not version.in_force or owner != site:
            click.echo(
                f"Not in force yet: `hilum models promote {manifest.name} {manifest.version} "
                f"--site {site}`"
            )
            return
    click.echo("In force.")

"""``hilum bundle``: everything for an installation without a network, in one archive."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hilum_cli.failure import Failure, readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum_cli.bundle.chart import Chart
    from hilum_cli.bundle.fetching import Platform
    from hilum_cli.bundle.image_reference import ImageReference

_file = click.Path(path_type=Path, exists=True, dir_okay=False)
_any = click.Path(path_type=Path, exists=True)


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The archive to write, a .tar.",
)
@click.option(
    "--chart",
    "chart_path",
    type=_any,
    default=Path("helm/hilum"),
    show_default=True,
    help="The chart: a folder or a .tgz.",
)
@click.option(
    "--values",
    type=_file,
    multiple=True,
    help="Values of the site; they decide which images are needed. May be given again.",
)
@click.option(
    "--images",
    type=_file,
    help="A list of images, one a line, instead of those that the chart names.",
)
@click.option(
    "--image-archive",
    type=_file,
    multiple=True,
    help="An image as a file (OCI archive, or docker save). May be given again.",
)
@click.option(
    "--with-crds",
    type=_any,
    multiple=True,
    help="A file or folder of CRDs to add. May be given again.",
)
@click.option(
    "--models",
    type=_any,
    help="A model repository to add; the engine image carries the shipped one.",
)
@click.option(
    "--platform", default="linux/amd64", show_default=True, help="Which image of several."
)
@click.option("--fetcher", help="Program that fetches images: skopeo, podman, crane or docker.")
@click.option("--helm", help="The helm to call.")
@click.option(
    "--kube-version", default="1.34.0", show_default=True, help="Kubernetes of the site's cluster."
)
@click.option("--allow-tags", is_flag=True, help="Take images, too, that no digest pins.")
@readable
def bundle(  # noqa: PLR0913 - one parameter an option
    *,
    out: Path,
    chart_path: Path,
    values: tuple[Path, ...],
    images: Path | None,
    image_archive: tuple[Path, ...],
    with_crds: tuple[Path, ...],
    models: Path | None,
    platform: str,
    fetcher: str | None,
    helm: str | None,
    kube_version: str,
    allow_tags: bool,
) -> None:
    """Pack images, chart, CRDs and models for a cluster without a network.

    The archive holds a script, load.sh, that checks every file, loads the images into a registry
    and prints the values that pin them by digest.
    """
    # Loaded here: no other command needs YAML.
    from hilum_cli.bundle.chart import Chart, find_helm  # noqa: PLC0415
    from hilum_cli.bundle.fetching import find_fetcher  # noqa: PLC0415
    from hilum_cli.bundle.making import Bundle, ImageSources, read_archives  # noqa: PLC0415
    from hilum_cli.bundle.packing import pack  # noqa: PLC0415

    chart = Chart(find_helm(helm), chart_path, values, kube_version)
    about = chart.about()
    sources = ImageSources(
        archives=read_archives(image_archive),
        fetcher=find_fetcher(fetcher),
        platform=_platform(platform),
        allow_tags=allow_tags,
        told=lambda line: click.echo(line, err=True),
    )
    # Beside the archive: images are large, and the system's folder for drafts may be memory.
    try:
        work = tempfile.TemporaryDirectory(prefix=".hilum-bundle-", dir=out.absolute().parent)
    except OSError as error:
        raise Failure(f"{out} cannot be written: {error.strerror}") from error
    with work as name:
        made = Bundle(_made(Path(name) / f"{about.get('name')}-{about.get('version')}"))
        made.add_images(_wanted(chart, images), sources, chart.image_values())
        package = chart.package(_made(made.folder / "chart"))
        for source in with_crds:
            made.add_folder(source, "crds")
        if models is not None:
            made.add_folder(models, "models")
        made.finish(f"chart/{package.name}")
        pack(made.folder, out)
    size = out.stat().st_size / 1e6
    click.echo(f"{out}: {len(made.images)} images, {package.name}, {size:.0f} MB")


def _wanted(chart: Chart, images: Path | None) -> Sequence[ImageReference]:
    from hilum_cli.bundle.image_reference import (  # noqa: PLC0415
        references_of_list,
        references_of_manifests,
    )

    if images is None:
        return references_of_manifests(chart.rendered())
    return references_of_list(images.read_text(encoding="utf-8"))


def _platform(text: str) -> Platform:
    from hilum_cli.bundle.fetching import Platform  # noqa: PLC0415

    system, stroke, architecture = text.partition("/")
    if not (system and stroke and architecture):
        raise Failure(f"{text} is no platform: linux/amd64 is")
    return Platform(system, architecture)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder

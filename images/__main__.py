"""``python -m images build [NAME...]``: needs Python alone, and podman or docker."""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import TYPE_CHECKING

from images.catalogue import BY_NAME, PRODUCT, REGISTRY_BASE, STAND_INS
from images.container_engine import find_engine
from images.debian import provide_debian
from images.errors import ImagesFailed
from images.labels import label_arguments
from images.paths import CACHE
from images.report import as_table, keep, read_report, write_report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from images.catalogue import Image
    from images.container_engine import ContainerEngine


def main(arguments: Sequence[str] | None = None) -> int:
    """Build images; 0 when all of them are there, 1 with a text when one is not."""
    parser = argparse.ArgumentParser(prog="images", description=__doc__)
    parser.add_argument("command", choices=["build", "table"])
    parser.add_argument(
        "names", nargs="*", help=f"of {', '.join(BY_NAME)}; the product's by default"
    )
    parser.add_argument(
        "--base", choices=["registry", "debian"], default=os.environ.get("BASE") or "registry"
    )
    parser.add_argument("--stand-ins", action="store_true", help="also what stands in for servers")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in BY_NAME]:
        parser.error(f"no image {unknown[0]}; there are {', '.join(BY_NAME)}")
    try:
        if options.command == "build":
            wanted = [BY_NAME[name] for name in options.names] or list(PRODUCT)
            build(wanted + (list(STAND_INS) if options.stand_ins else []), options.base)
    except ImagesFailed as failed:
        sys.stderr.write(f"{failed}\n")
        return 1
    sys.stdout.write(f"{as_table(read_report())}\n")
    return 0


def build(wanted: Sequence[Image], base_kind: str) -> None:
    """Build each image and keep it in an archive, one after the other.

    Args:
        wanted: What to build.
        base_kind: ``registry`` takes the variable PYTHON_IMAGE, or the Dockerfiles' default;
            ``debian`` makes a base of this machine's packages.

    Raises:
        ImagesFailed: One could not be built; those before it are kept.
    """
    engine = find_engine(os.environ.get("CONTAINER_ENGINE"))
    CACHE.mkdir(parents=True, exist_ok=True)
    base = provide_debian(engine) if base_kind == "debian" else registry_base(engine)
    for image in wanted:
        began = time.monotonic()
        sys.stdout.write(f"-- {image.reference} on {base}\n")
        sys.stdout.flush()
        engine.build(image, {"PYTHON_IMAGE": base, **label_arguments(image)})
        built = read_report()
        built[image.name] = keep(engine, image, base, built.get(image.name))
        write_report(built)
        sys.stdout.write(f"-- {image.name}: {time.monotonic() - began:.0f} s\n")


def registry_base(engine: ContainerEngine) -> str:
    """The base of a registry, fetched unless it is here.

    Raises:
        ImagesFailed: No registry is reached; the text names the way without one.
    """
    base = os.environ.get("PYTHON_IMAGE") or REGISTRY_BASE
    if not engine.has(base):
        try:
            engine.ask("pull", "--quiet", base)
        except ImagesFailed as failed:
            raise ImagesFailed(
                f"{failed}\nSet PYTHON_IMAGE to the same image in a registry that is reached, or "
                "BASE=debian to make a base of this machine's Debian packages."
            ) from failed
    return base


if __name__ == "__main__":
    sys.exit(main())

"""A bundle, put together: images, chart, CRDs, models, checksums, and the script that loads it."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hilum_cli.bundle.bundled_image import BundledImage, keys_of, pinning_values
from hilum_cli.bundle.fetching import (
    INSTALL_FETCHER,
    Platform,
    convert,
    fetch,
    local_archive,
)
from hilum_cli.bundle.image_archive import ImageArchive, read_archive
from hilum_cli.bundle.image_reference import ImageReference, parse_reference
from hilum_cli.bundle.packing import write_sums
from hilum_cli.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LOAD_SCRIPT: Final = Path(__file__).with_name("load.sh")
IMAGE_LIST: Final = "images.txt"
PINNED: Final = "images.digests.yaml"

_LIST_HEAD: Final = "# repository tag digest file keys-of-images-in-the-values\n"
_NOT_IN_A_NAME: Final = re.compile(r"[^a-z0-9.]+")


@dataclass(frozen=True, slots=True)
class ImageSources:
    """Where images may be taken from.

    Attributes:
        archives: Files that were given; they go before everything else.
        fetcher: Program that fetches the others, or None.
        platform: Which image of several it fetches.
        allow_tags: Whether one may be fetched that no digest pins.
        told: Called with a line about each image.
    """

    archives: Sequence[ImageArchive]
    fetcher: str | None
    platform: Platform
    allow_tags: bool
    told: Callable[[str], None]

    def take(self, reference: ImageReference, target: Path) -> ImageArchive:
        """Bring an image into an OCI archive.

        Raises:
            Failure: It is pinned by no digest, cannot be had, or is another than the one pinned.
        """
        given = [one for one in self.archives if _is_named(one, reference)]
        if given:
            self.told(f"{reference}: from {given[0].path.name}")
            return _from_archive(given[0], reference, target)
        if not reference.digest:
            if not self.allow_tags:
                raise Failure(
                    f"{reference} is pinned by no digest, and a tag may name another image "
                    "tomorrow: give its digest in the values, an archive of it by "
                    "--image-archive, or pass --allow-tags"
                )
            local = local_archive(reference, target)
            if local is not None:
                self.told(f"{reference}: of this machine, {local.digest}")
                return local
        if self.fetcher is None:
            raise Failure(INSTALL_FETCHER)
        self.told(f"{reference}: by {self.fetcher}")
        return fetch(self.fetcher, reference, target, self.platform)


@dataclass(slots=True)
class Bundle:
    """A bundle in the making, in a folder that has its name."""

    folder: Path
    images: list[BundledImage] = field(default_factory=list)

    def add_images(
        self,
        references: Sequence[ImageReference],
        sources: ImageSources,
        image_values: Mapping[str, Any],
    ) -> None:
        """Take the images and note their digests.

        Raises:
            Failure: One of them cannot be had.
        """
        (self.folder / "images").mkdir()
        for reference in references:
            name = _NOT_IN_A_NAME.sub("-", str(reference.without_digest).lower()).strip("-")
            if not reference.tag:
                name = f"{name}-{reference.digest[7:19]}"
            file = f"images/{name}.tar"
            archive = sources.take(reference, self.folder / file)
            keys = keys_of(reference, image_values)
            digest = archive.digest or ""
            self.images.append(BundledImage(reference, digest, file, keys))

    def add_folder(self, source: Path, name: str) -> None:
        """Copy a file, or every file of a folder that no dot hides.

        Raises:
            Failure: There is nothing, or it cannot be read.
        """
        target = self.folder / name
        try:
            if source.is_dir():
                hidden = shutil.ignore_patterns(".*", "__pycache__")
                shutil.copytree(source, target, ignore=hidden, dirs_exist_ok=True)
            else:
                target.mkdir(exist_ok=True)
                shutil.copyfile(source, target / source.name)
        except (OSError, shutil.Error) as error:
            raise Failure(f"{source} cannot be read: {error}") from error

    def finish(self, chart: str) -> None:
        """Write the list of images, the values that pin them, the script and the checksums."""
        lines = "".join(f"{image.line}\n" for image in self.images)
        (self.folder / IMAGE_LIST).write_text(_LIST_HEAD + lines, encoding="utf-8")
        pinned = pinning_values(self.images, chart)
        (self.folder / PINNED).write_text(pinned, encoding="utf-8")
        shutil.copyfile(LOAD_SCRIPT, self.folder / LOAD_SCRIPT.name)
        write_sums(self.folder)


def read_archives(paths: Sequence[Path]) -> list[ImageArchive]:
    """What the given archives hold.

    Raises:
        Failure: One cannot be read, or does not say which image it is.
    """
    archives = [read_archive(path) for path in paths]
    for archive in archives:
        if not archive.names:
            raise Failure(
                f"{archive.path} does not say which image it is: write it with the image's "
                "name, as `podman save --format oci-archive NAME` does"
            )
    return archives


def _is_named(archive: ImageArchive, reference: ImageReference) -> bool:
    """Whether an archive calls its image so; what was built here has `localhost` for a registry."""
    for name in archive.names:
        try:
            named = parse_reference(name)
        except Failure:  # a note such as a bare tag
            continue
        same = (named.repository, named.tag) == (reference.repository, reference.tag)
        if reference.digest and not reference.tag:
            same = named.repository == reference.repository
        if same and named.registry in {reference.registry, "localhost"}:
            return True
    return False


def _from_archive(archive: ImageArchive, reference: ImageReference, target: Path) -> ImageArchive:
    if archive.digest is None:
        taken = convert(archive, target)
    else:
        shutil.copyfile(archive.path, target)
        taken = archive
    if reference.digest and taken.digest != reference.digest:
        raise Failure(
            f"{archive.path.name} holds {taken.digest}, and {reference.without_digest} is pinned "
            f"to {reference.digest}"
        )
    return taken

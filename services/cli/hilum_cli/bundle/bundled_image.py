"""The images of a bundle: which of them goes under which key of the chart's values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hilum_cli.bundle.image_reference import ImageReference

_HEAD: Final = """\
# Pins every image of this bundle by its digest. Beside the site's own values:
#     helm install hilum {chart} --values site.yaml --values images.digests.yaml \\
#       --set image.registry=REGISTRY
# load.sh prints this with the registry in it.
"""


@dataclass(frozen=True, slots=True)
class BundledImage:
    """One image of a bundle.

    Attributes:
        reference: As the chart or the list names it.
        digest: Of what lies in the archive.
        file: Its path in the bundle.
        keys: Of ``images`` in the chart's values; none for an image that the chart has elsewhere.
    """

    reference: ImageReference
    digest: str
    file: str
    keys: tuple[str, ...]

    @property
    def line(self) -> str:
        """A line of ``images.txt``, as load.sh reads it; a stroke for what is empty."""
        keys = ",".join(self.keys) or "-"
        tag = self.reference.tag or "-"
        return f"{self.reference.repository} {tag} {self.digest} {self.file} {keys}"


def keys_of(reference: ImageReference, image_values: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys of the chart's values that name this image's repository."""
    return tuple(
        key
        for key, value in image_values.items()
        if isinstance(value, dict) and value.get("repository") == reference.repository
    )


def pinning_values(images: Sequence[BundledImage], chart: str) -> str:
    """The values file that pins each image by its digest."""
    pinned = {
        key: {"repository": image.reference.repository, "digest": image.digest}
        for image in images
        for key in image.keys
    }
    text = _HEAD.format(chart=chart) + yaml.safe_dump({"images": pinned}, sort_keys=True)
    for image in images:
        if not image.keys:
            text += f"# by hand, where the site's values name it: {image.reference.repository}"
            text += f"@{image.digest}\n"
    return text

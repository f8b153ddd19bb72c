"""What an image is called: ``registry/repository:tag@digest``."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import yaml

from hilum_cli.failure import USAGE, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_REGISTRY: Final = "docker.io"

_REFERENCE: Final = re.compile(
    r"(?P<name>[a-z0-9][a-zA-Z0-9._/:-]*?)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_IMAGE_FIELDS: Final = frozenset({"image", "imageName"})  # of a container; of CloudNativePG


@dataclass(frozen=True, slots=True, order=True)
class ImageReference:
    """Where an image is, and which one.

    Attributes:
        registry: Host and port.
        repository: Path in the registry.
        tag: May be empty where there is a digest.
        digest: ``sha256:...``, or empty.
    """

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.registry}/{self.repository}{tag}{digest}"

    @property
    def without_digest(self) -> ImageReference:
        """The same name, whichever image it is at the moment."""
        return replace(self, digest="")

    @property
    def pullable(self) -> str:
        """The reference as every tool takes it: some refuse a tag beside a digest."""
        return str(replace(self, tag="") if self.digest else self)


def parse_reference(text: str) -> ImageReference:
    """The reference that a text is.

    Raises:
        Failure: It is none.
    """
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise Failure(f"{text} is no reference of an image", USAGE)
    first, stroke, rest = match["name"].partition("/")
    # As Docker reads it: a first part with a dot, a port, or localhost is a registry.
    if stroke and ("." in first or ":" in first or first == "localhost"):
        registry, repository = first, rest
    else:
        registry, repository = DEFAULT_REGISTRY, match["name"]
    if ":" in repository or not repository:
        raise Failure(f"{text} is no reference of an image", USAGE)
    digest = match["digest"] or ""
    tag = match["tag"] or ("" if digest else "latest")
    return ImageReference(registry, repository, tag, digest)


def references_of_manifests(rendered: str) -> list[ImageReference]:
    """The images that Kubernetes manifests name, each once, sorted.

    Raises:
        Failure: What is rendered is no YAML, or names something that is no image.
    """
    try:
        documents = list(yaml.safe_load_all(rendered))
    except yaml.YAMLError as error:
        raise Failure(f"what helm has rendered is no YAML: {error}") from error
    return sorted({parse_reference(text) for document in documents for text in _images(document)})


def references_of_list(text: str) -> list[ImageReference]:
    """The images of a list: one a line, ``#`` begins a comment.

    Raises:
        Failure: A line is no reference.
    """
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return sorted({parse_reference(line) for line in lines if line})


def _images(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name in _IMAGE_FIELDS and isinstance(value, str):
                yield value
            else:
                yield from _images(value)
    elif isinstance(node, list):
        for item in node:
            yield from _images(item)

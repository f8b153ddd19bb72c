"""Which images there are: the product's own, and those that stand in for servers in tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

REGISTRY_BASE: Final = "docker.io/library/python:3.12-slim-bookworm"
"""Base of every image but NVIDIA's; each Dockerfile's default, and a test holds them together."""

DEBIAN_BASE: Final = "localhost/hilum-test/python:dev"
"""Debian with its own Python, made here where no registry is reached."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image.

    Attributes:
        name: Short name: ``gateway``.
        reference: Local name: ``localhost/hilum/gateway:dev``.
        dockerfile: Relative to the root.
        context: Folder that goes to the builder, relative to the root.
        target: Stage to build; None takes the last.
        contents: Paths that it is made of, relative to the root: the last commit that touched one
            of them is its revision.
        program: A program of this machine that is copied in; its folder is the context then.
    """

    name: str
    reference: str
    dockerfile: Path
    context: Path = Path()
    target: str | None = None
    contents: tuple[str, ...] = ()
    program: str | None = None


def _own(name: str, folder: str, *contents: str, target: str | None = None) -> Image:
    lock = f"requirements/{Path(folder).name}.lock"
    shared = ("images/parts", "requirements/images.lock", "pyproject.toml", "LICENSE", "hilum")
    return Image(
        name=name,
        reference=f"localhost/hilum/{name}:dev",
        dockerfile=Path(folder, "Dockerfile"),
        target=target,
        contents=(folder, lock, *shared, *contents),
    )


PRODUCT: Final = (
    _own("gateway", "services/gateway"),
    _own("worker", "services/worker"),
    _own("listener", "services/listener"),
    _own("cli", "services/cli"),
    _own("engine", "services/engine", "model_repository"),
    _own("triton", "services/triton", "services/engine", "model_repository", target="cpu"),
    _own("triton-probe", "services/triton_probe"),
    _own("training", "training", "stack", "model_repository"),
)
"""The product's images, in the order in which they are built."""


def _stand_in(name: str, program: str | None = None) -> Image:
    folder = f"tests/images/{name}"
    return Image(
        name=name,
        reference=f"localhost/hilum-test/{name}:dev",
        dockerfile=Path(folder, "Dockerfile"),
        context=Path(folder),
        contents=(folder,),
        program=program,
    )


STAND_INS: Final = (
    _stand_in("redis"),
    _stand_in("postgresql"),
    _stand_in("minio", program="minio"),
)
"""Servers for tests where no registry is reached; elsewhere the official images serve."""

BY_NAME: Final = {image.name: image for image in (*PRODUCT, *STAND_INS)}

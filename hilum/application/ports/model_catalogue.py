"""Which models are served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hilum.domain.model import ModelManifest, ModelSet


class ModelCatalogue(Protocol):
    """The model set in force."""

    def current(self) -> ModelSet:
        """The models that are published, with the operating points of their manifests.

        Raises:
            InvalidManifest: A manifest is missing or malformed, or an artefact does not match it.
        """
        ...

    def of_site(self, site: str) -> ModelSet:
        """The models that read the films of a site, with the operating points in force there.

        Raises:
            InvalidManifest: As :meth:`current`.
        """
        ...

    def card(self, model: ModelManifest) -> str:
        """The model's card, Markdown; empty where there is none."""
        ...

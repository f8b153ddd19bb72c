"""Which models are served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    def installed(self) -> Sequence[ModelManifest]:
        """Every version of every model, by name and serving version; the newest are in force.

        Raises:
            InvalidManifest: As :meth:`current`.
        """
        ...

    def card(self, model: ModelManifest) -> str:
        """The model's card, Markdown; empty where there is none."""
        ...

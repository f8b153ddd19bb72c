"""A served model: its manifest, its panels, and the set that reads a film; under one name.

What each is stands in :mod:`hilum.domain.manifest`, :mod:`hilum.domain.panel` and
:mod:`hilum.domain.model_set`.
"""

from __future__ import annotations

from hilum.domain.manifest import SCHEMA_VERSION, Artefact, ModelManifest, TensorSpec
from hilum.domain.model_set import Ensemble, ModelSet
from hilum.domain.panel import (
    FRONTAL,
    CodedConcept,
    Label,
    OperatingPoint,
    Panel,
    PanelKind,
    Rank,
)
from hilum.domain.scope import Scope, ScopeLimit

__all__ = [
    "FRONTAL",
    "SCHEMA_VERSION",
    "Artefact",
    "CodedConcept",
    "Ensemble",
    "Label",
    "ModelManifest",
    "ModelSet",
    "OperatingPoint",
    "Panel",
    "PanelKind",
    "Rank",
    "Scope",
    "ScopeLimit",
    "TensorSpec",
]

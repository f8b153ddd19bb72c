"""What a model repository says of its ensemble: ``<ensemble>/ensemble.json``.

Training writes it beside the ensemble's ``config.pbtxt``::

    {"version": 1288077, "models": {"gate": 1, "chest": 1, "lungs": 1}}

names the models that one request to the ensemble runs, and their serving versions; ``version`` is
the ensemble's own, 1 where it is missing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from hilum.domain.errors import InvalidManifest
from hilum.domain.model import Ensemble

if TYPE_CHECKING:
    from pathlib import Path

ENSEMBLE: Final = "ensemble.json"


def read_ensemble(repository: Path) -> Ensemble | None:
    """The repository's ensemble, or None where it has none.

    Raises:
        InvalidManifest: There are several, or its file cannot be read.
    """
    paths = sorted(repository.glob(f"*/{ENSEMBLE}"))
    if not paths:
        return None
    if len(paths) > 1:
        raise InvalidManifest(f"{len(paths)} ensembles in one model repository")
    name = paths[0].parent.name
    try:
        document = json.loads(paths[0].read_text(encoding="utf-8"))
        steps = {str(model): version for model, version in document["models"].items()}
        own = document.get("version", 1)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidManifest(f"{name}: {ENSEMBLE} cannot be read") from error
    if not steps or any(type(version) is not int for version in (own, *steps.values())):
        raise InvalidManifest(f"{name}: {ENSEMBLE} names no model, or no version of one")
    return Ensemble(name, steps, own)

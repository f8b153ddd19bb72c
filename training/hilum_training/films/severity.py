"""How ill an image shows its patient, where readers scored it."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

SEVERITY: Final = "severity.csv"


def read_severity(pack: Path) -> dict[str, float]:
    """Read the opacity scores of a pack, by file; empty where it has none.

    The mean of readers' scores of the degree of opacity, 0 to 6 (Cohen et al., arXiv:2005.11856).

    Args:
        pack: Folder of the film pack.
    """
    path = pack / SEVERITY
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        return {row["file"]: float(row["opacity_mean"]) for row in csv.DictReader(stream)}

"""Sources as a rule on the worst of them counts them: by patients, small ones together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def groups(
    sources: Sequence[str] | NDArray[np.str_],
    clusters: Sequence[str] | NDArray[np.str_],
    fewest: int,
) -> dict[str, NDArray[np.bool_]]:
    """Return which images count as one source.

    Sources with fewer than ``fewest`` patients are pooled. What is still fewer then decides
    nothing, unless there is no other group.

    Args:
        sources: Source of each of N images.
        clusters: Patient cluster of each.
        fewest: Patients of a group.

    Returns:
        Group name -> bool [N]. The name of pooled sources joins theirs with ``+``.
    """
    named, patients = np.array(sources, dtype=str), np.array(clusters, dtype=str)
    found = {str(name): named == name for name in np.unique(named)}
    large = {name: chosen for name, chosen in found.items() if _many(patients[chosen], fewest)}
    small = ~np.isin(named, list(large))
    if small.any() and (_many(patients[small], fewest) or not large):
        large["+".join(map(str, np.unique(named[small])))] = small
    return large


def _many(patients: NDArray[np.str_], fewest: int) -> bool:
    return len(np.unique(patients)) >= fewest

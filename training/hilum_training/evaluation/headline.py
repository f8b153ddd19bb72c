"""What a network says of healthy people and of ill ones: the first figures of every report.

Each panel's own figures stop at the images that the panel is asked about. Readers see all panels on
every image. So the verdicts of all panels are counted together, on every source of the test split:
flags a normal image, and ill images without any flag.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum_training.evaluation.by_source import share
from hilum_training.evaluation.label_images import NORMAL
from hilum_training.export.lead_tables import DEFAULT, WITH_EXPERIMENTAL
from hilum_training.films.targets import recorded_kind
from hilum_training.measures.bootstrap import PatientBootstrap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hilum_training.evaluation.verdicts import PanelPoints
    from hilum_training.films.pack import Film

ALL: Final = "all"
_SEVERITY: Final = (
    (2.0, "opacity score below 2"),
    (4.0, "opacity score 2 to below 4"),
    (100.0, "opacity score 4 and more"),
)
"""Upper bound and words, of the opacity score by Cohen et al. (arXiv:2005.11856)."""


@dataclass(frozen=True, slots=True)
class Flags:
    """Verdicts of all panels on N images.

    Attributes:
        abnormal: bool [N, L], each abnormal label of each panel.
        labels: L names, ``<panel>/<label>``.
        both: bool [N]: a panel names a normal label and an abnormal one.
    """

    abnormal: NDArray[np.bool_]
    labels: tuple[str, ...]
    both: NDArray[np.bool_]

    @property
    def count(self) -> NDArray[np.int64]:
        """int64 [N]: abnormal labels of each image."""
        return np.asarray(self.abnormal.sum(axis=1), dtype=np.int64)


def flags(
    panels: Sequence[PanelPoints],
    chances: Mapping[str, NDArray[np.floating]],
    *,
    experimental: bool,
    inside: Mapping[str, NDArray[np.bool_]] | None = None,
    children: NDArray[np.bool_] | None = None,
) -> Flags:
    """Return the verdicts of all panels.

    Args:
        panels: The panels.
        chances: Calibrated probabilities, float [N, K] by panel.
        experimental: Experimental labels count as well.
        inside: bool [N] by panel: inside its scope. Outside it names nothing. None: all are inside.
        children: bool [N], images that are taken for small children's; None: none is.
    """
    columns, names = [], []
    both = np.zeros(len(next(iter(chances.values()))), dtype=bool)
    for panel in panels:
        named = panel.named(chances[panel.name], experimental=experimental, children=children)
        if inside is not None:
            named &= inside[panel.name][:, np.newaxis]
        abnormal = np.array([label in panel.abnormal for label in panel.labels])
        both |= named[:, abnormal].any(axis=1) & named[:, ~abnormal].any(axis=1)
        columns.append(named[:, abnormal])
        names += [f"{panel.name}/{label}" for label in panel.labels if label in panel.abnormal]
    return Flags(np.concatenate(columns, axis=1), tuple(names), both)


def headline(
    films: Sequence[Film],
    clusters: Sequence[str],
    panels: Sequence[PanelPoints],
    chances: Mapping[str, NDArray[np.floating]],
    severity: Mapping[str, float] | None = None,
    inside: Mapping[str, NDArray[np.bool_]] | None = None,
    children: NDArray[np.bool_] | None = None,
) -> dict[str, Any]:
    """Return the figures of the test split, with experimental labels off and on.

    Args:
        films: N test images, of every source.
        clusters: Patient cluster of each.
        panels: Every panel but the gate.
        chances: Calibrated probabilities, float [N, K] by panel.
        severity: Opacity score by file, where readers gave one.
        inside: As in :func:`flags`.
        children: As in :func:`flags`.
    """
    found: dict[str, Any] = {"split": "test"}
    for key, experimental in ((DEFAULT, False), (WITH_EXPERIMENTAL, True)):
        said = flags(panels, chances, experimental=experimental, inside=inside, children=children)
        found[key] = {**_figures(films, clusters, said), "by_label": _by_label(films, said)}
        if rows := by_severity(films, clusters, said, severity or {}):
            found[key]["by_severity"] = rows
    return found


def _figures(films: Sequence[Film], clusters: Sequence[str], said: Flags) -> dict[str, Any]:
    draws, patients = PatientBootstrap(clusters), np.array(clusters, dtype=str)
    sources = np.array([film.source for film in films], dtype=str)
    normal = is_normal(films)

    def row(name: str, inside: NDArray[np.bool_]) -> dict[str, Any]:
        healthy, ill = inside & normal, inside & ~normal
        clear = said.count == 0
        return {
            "source": name,
            "normal_films": int(healthy.sum()),
            "normal_patients": len(np.unique(patients[healthy])),
            "flags_a_normal_film": mean_flags(draws, said.count, healthy, patients),
            "normal_films_without_a_flag": share(draws, clear, healthy, patients),
            "ill_films": int(ill.sum()),
            "ill_patients": len(np.unique(patients[ill])),
            "ill_films_without_a_flag": share(draws, clear, ill, patients),
            "normal_and_abnormal_of_one_panel": int((said.both & inside).sum()),
        }

    return {
        "by_source": [row(str(name), sources == name) for name in np.unique(sources)],
        "overall": row(ALL, np.ones(len(films), dtype=bool)),
    }


def is_normal(films: Sequence[Film]) -> NDArray[np.bool_]:
    """Return which images are recorded as normal, bool [N]."""
    return np.array([recorded_kind(film) == NORMAL for film in films], dtype=bool)


def mean_flags(
    draws: PatientBootstrap,
    counts: NDArray[np.int64],
    among: NDArray[np.bool_],
    patients: NDArray[np.str_],
) -> dict[str, Any]:
    """Return flags an image.

    Without any, the upper end is that of the share of images with one.

    Args:
        draws: Of the patients.
        counts: int64 [N], flags of each image.
        among: bool [N], the images that count.
        patients: str [N], patient cluster of each image.
    """
    found = draws.ratio((counts * among).astype(np.float64), among.astype(np.float64))
    if found["value"] == 0.0:
        found["interval"] = share(draws, counts > 0, among, patients)["interval"]
    return found


def _by_label(films: Sequence[Film], said: Flags) -> list[dict[str, Any]]:
    """How many normal and ill images of each source each label flags."""
    sources = np.array([film.source for film in films], dtype=str)
    normal = is_normal(films)
    rows = []
    for place, label in enumerate(said.labels):
        flagged = said.abnormal[:, place]
        if flagged.any():
            rows += [
                {
                    "label": label,
                    "source": str(name),
                    "normal_films": int((inside & normal).sum()),
                    "normal_films_flagged": int((inside & normal & flagged).sum()),
                    "ill_films": int((inside & ~normal).sum()),
                    "ill_films_flagged": int((inside & ~normal & flagged).sum()),
                }
                for name in np.unique(sources)
                for inside in [sources == name]
            ]
    return rows


def by_severity(
    films: Sequence[Film],
    clusters: Sequence[str],
    said: Flags,
    severity: Mapping[str, float],
) -> list[dict[str, Any]]:
    """Return ill images without a flag, by readers' opacity score."""
    draws, patients = PatientBootstrap(clusters), np.array(clusters, dtype=str)
    scores = np.array([severity.get(film.file, np.nan) for film in films], dtype=float)
    rows, least = [], -np.inf
    for below, words in _SEVERITY:
        inside = (scores >= least) & (scores < below) & ~is_normal(films)
        least = below
        if inside.any():
            clear = share(draws, said.count == 0, inside, patients)
            rows.append(
                {
                    "severity": words,
                    "ill_films": int(inside.sum()),
                    "ill_films_without_a_flag": clear,
                }
            )
    return rows

"""Everything that the report is made of: records, their pixels, the split."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from hilum.imaging.preprocessing import PREPROCESSING
from hilum_training.films.fingerprint import Fingerprint, fingerprint
from hilum_training.films.pack import read_film
from hilum_training.films.readers.as_films import as_films
from hilum_training.films.readers.registry import read_dataset
from hilum_training.films.split import check_leakage, divide, link_films

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from hilum_training.films.readers.record import FilmRecord
    from hilum_training.recipe import Recipe

GREY_BINS: Final = np.linspace(0, 256, 65)
STANDARD_BINS: Final = np.linspace(-4, 4, 65)
# As the network's first layer: an empty film stays at zero.
_FLOOR: Final = 1e-4
_WHITE: Final = 255.0


@dataclass(frozen=True, slots=True)
class FilmPixels:
    """Figures of one film's model input.

    Attributes:
        fingerprint: Of the stored pixels.
        size: Width and height as stored.
        mean: Grey level, 0 to 255.
        deviation: Standard deviation, grey levels.
        grey: float64 [64], share of pixels by grey level, over :data:`GREY_BINS`.
        standard: float64 [64], the same after standardisation film by film, over
            :data:`STANDARD_BINS`; what lies outside is counted in the outermost bins.
    """

    fingerprint: Fingerprint
    size: tuple[int, int]
    mean: float
    deviation: float
    grey: NDArray[np.float64]
    standard: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Survey:
    """A pack, looked at.

    Attributes:
        folder: Of the pack.
        records: Every film of the manifest, superseded copies included.
        pixels: Of each record.
        clusters: File -> patient cluster, for films that recipes use (no superseded copies).
        splits: File -> ``train``, ``validation`` or ``test``, for the same films.
    """

    folder: Path
    records: tuple[FilmRecord, ...]
    pixels: tuple[FilmPixels, ...]
    clusters: Mapping[str, str]
    splits: Mapping[str, str]

    @property
    def used(self) -> tuple[FilmRecord, ...]:
        """Films that recipes use: of two copies of a film, the better one."""
        return tuple(record for record in self.records if record.file in self.splits)


def survey_pack(folder: Path, recipe: Recipe) -> Survey:
    """Read a pack, decode each film once, and divide the films as a recipe divides them.

    Args:
        folder: Of the pack.
        recipe: Preprocessing, size, fractions, seed, and what counts as a near duplicate.

    Raises:
        DatasetInvalid: The folder is no pack.
        LeakageFound: The split divides what belongs together.
    """
    records = read_dataset("pack", folder).records
    with ThreadPoolExecutor() as pool:
        pixels = tuple(pool.map(partial(_look, folder, recipe), records))
    by_file = {record.file: found for record, found in zip(records, pixels, strict=True)}
    films = as_films(records)
    prints = [by_file[film.file].fingerprint for film in films]
    bits = recipe.data.near_duplicate_bits
    clusters = link_films(films, prints, bits)
    splits = divide(films, clusters, recipe.data.fractions, recipe.seed)
    check_leakage(films, splits, prints, bits)
    files = [film.file for film in films]
    return Survey(
        folder,
        records,
        pixels,
        dict(zip(files, clusters, strict=True)),
        dict(zip(files, splits, strict=True)),
    )


def _look(folder: Path, recipe: Recipe, record: FilmRecord) -> FilmPixels:
    stored = read_film(folder / record.file)
    size = recipe.film.size
    film = PREPROCESSING[recipe.film.preprocessing](stored, size, size)
    standard = standardised(film)
    return FilmPixels(
        fingerprint=fingerprint(stored),
        size=(stored.shape[1], stored.shape[0]),
        mean=float(film.mean()),
        deviation=float(film.std()),
        grey=_shares(film, GREY_BINS),
        standard=_shares(np.clip(standard, STANDARD_BINS[0], STANDARD_BINS[-1]), STANDARD_BINS),
    )


def standardised(film: NDArray[np.uint8]) -> NDArray[np.float64]:
    """A film as the network's first layer makes it: zero mean, unit deviation."""
    grey = film / _WHITE
    return np.asarray((grey - grey.mean()) / np.sqrt(grey.var() + _FLOOR))


def _shares(
    values: NDArray[np.float64 | np.uint8], bins: NDArray[np.float64]
) -> NDArray[np.float64]:
    counts, _ = np.histogram(values, bins)
    return np.asarray(counts / counts.sum())


def by_source(records: Sequence[FilmRecord]) -> dict[str, list[int]]:
    """Source -> indexes of its records; sources by name."""
    found: dict[str, list[int]] = {}
    for source in sorted({record.source for record in records}):
        found[source] = [i for i, record in enumerate(records) if record.source == source]
    return found

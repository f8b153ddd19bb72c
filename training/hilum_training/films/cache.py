"""Decoded films: model inputs and fingerprints, computed once and kept in ``training/runs``."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from hilum.imaging.preprocessing import PREPROCESSING
from hilum_training.films.fingerprint import HASH_BYTES, Fingerprint, fingerprint
from hilum_training.films.pack import PICTURES_DIGEST, read_film

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from hilum_training.films.pack import Film
    from hilum_training.recipe import FilmRecipe


@dataclass(frozen=True, slots=True)
class DecodedFilms:
    """Films as arrays.

    Attributes:
        inputs: uint8 [N, size, size, 1], model inputs.
        fingerprints: N fingerprints, of the stored pixels.
    """

    inputs: NDArray[np.uint8]
    fingerprints: tuple[Fingerprint, ...]


def decode_films(
    pack: Path, films: Sequence[Film], recipe: FilmRecipe, cache: Path
) -> DecodedFilms:
    """Decode films, or take them from the cache when the same ones were decoded before.

    Args:
        pack: Folder of the film pack.
        films: N films.
        recipe: Preprocessing and size.
        cache: Folder for the arrays; the file's name says what is in it.
    """
    wanted = "\0".join(
        [recipe.preprocessing, str(recipe.size), *(film.file for film in films), *_digest(pack)]
    )
    path = cache / f"films-{hashlib.sha256(wanted.encode()).hexdigest()[:16]}.npz"
    if not path.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        _write(path, pack, films, recipe)
    with np.load(path) as stored:
        contents, hashes = stored["contents"], stored["hashes"]
        return DecodedFilms(
            inputs=stored["inputs"],
            fingerprints=tuple(
                Fingerprint(str(content), bits.tobytes())
                for content, bits in zip(contents, hashes, strict=True)
            ),
        )


def _write(path: Path, pack: Path, films: Sequence[Film], recipe: FilmRecipe) -> None:
    with ThreadPoolExecutor() as pool:
        decoded = pool.map(partial(_decode, pack, recipe), films)
        rows = list(tqdm(decoded, total=len(films), desc="decode", unit="film"))
    partial_path = path.with_name(f"{path.stem}.partial.npz")
    np.savez(
        partial_path,
        inputs=np.stack([row[0] for row in rows]),
        contents=np.array([row[1].content for row in rows]),
        hashes=np.frombuffer(
            b"".join(row[1].difference_hash for row in rows), dtype=np.uint8
        ).reshape(len(rows), HASH_BYTES),
    )
    partial_path.replace(path)


def _digest(pack: Path) -> list[str]:
    """What tells a pack from another with the same names, where the pack says so."""
    path = pack / PICTURES_DIGEST
    return [path.read_text(encoding="utf-8")] if path.is_file() else []


def _decode(pack: Path, recipe: FilmRecipe, film: Film) -> tuple[NDArray[np.uint8], Fingerprint]:
    pixels = read_film(pack / film.file)
    prepare = PREPROCESSING[recipe.preprocessing]
    return prepare(pixels, recipe.size, recipe.size), fingerprint(pixels)

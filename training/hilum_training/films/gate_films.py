"""Images for a gate: frontal radiographs of the chest, and everything that must not pass as one.

The pack holds frontal radiographs, a few laterals and a few radiographs of other bodies. The rest
is made: inverted, rotated and severely ill chests, parts of radiographs, several of them in one
image, and drawings. Images from folders come in where there are any.

A made image says in its label what it is, e.g. ``severe:one_opaque`` or ``not_chest:drawn hand``: a
panel is asked about what stands before the colon.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from hilum.imaging.phantom import phantom_film
from hilum.imaging.preprocessing import PREPROCESSING
from hilum_training.films.drawn import BODIES, draw
from hilum_training.films.library import FilmSet, Library
from hilum_training.films.pack import Film
from hilum_training.films.severe import SEVERE, make_severe, unequal
from hilum_training.films.targets import OTHER_BODY, recorded_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import TypeAlias

    from numpy.typing import NDArray

    from hilum_training.recipe import Recipe

    _Change: TypeAlias = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]

LATERAL_VIEW: Final = "L"
_PICTURES: Final = (".jpg", ".jpeg", ".png", ".webp", ".gif")
_SMALLEST_PICTURE: Final = 48
_PHANTOM_SIDE: Final = 256
# Of each hundred films of a split: how many come again as a negative, on their side, in part.
_SHARE: Final = {
    "inverted": 25,
    "rotated": 40,
    "severe": 20,
    "part": 20,
    "several": 8,
    "drawn": 25,
    "body": 20,
    "phantom": 2,
}
SEVERE_LABEL: Final = "severe"
UNEQUAL_SIDES: Final = f"{SEVERE_LABEL}:unequal_sides"
"""The label of a real frontal radiograph whose sides differ as with one opaque or empty lung."""
_VIEWS_OF_A_BODY: Final = 4
# Bodies are drawn at this share of the side: a gate halves what it sees, and drawing takes long.
_DRAWN_SIDE: Final = 0.5
_GRAIN: Final = 0.35


class NegativesMissing(RuntimeError):
    """A gate's recipe names a folder of pictures that is not there."""


def picture_folders(wanted: Sequence[Path], *, required: bool) -> list[Path]:
    """The folders of pictures that are there.

    Args:
        wanted: As the recipe names them.
        required: Without them, a gate's figures would be of other films than its report says.

    Raises:
        NegativesMissing: One is absent and required.
    """
    missing = [str(folder) for folder in wanted if not folder.is_dir()]
    if missing and required:
        named = ", ".join(missing)
        raise NegativesMissing(f"no pictures in {named}: `make negatives` fetches them")
    return [folder for folder in wanted if folder.is_dir()]


def gate_library(library: Library, recipe: Recipe, folders: Sequence[Path]) -> Library:
    """The library with everything added that a gate must tell from frontal films.

    Args:
        library: Frontal and lateral films, divided by patient.
        recipe: Preprocessing, size and seed.
        folders: Pictures that are no chest films. A folder is divided into the splits by its
            sub-folders, so that a test picture is of a kind that training did not show.
    """
    pictures = [path for folder in folders for path in _pictures(folder)]
    parts = []
    for place, (name, films) in enumerate(
        (("train", library.train), ("validation", library.validation), ("test", library.test))
    ):
        chosen = [path for path, split in pictures if split == name]
        parts.append(_with_negatives(films, recipe, chosen, place))
    return Library(*parts)


def _with_negatives(
    films: FilmSet, recipe: Recipe, pictures: Sequence[Path], place: int
) -> FilmSet:
    size = recipe.film.size
    generator = np.random.default_rng([recipe.seed, place])
    named = _name_unequal(replace_views(films))
    frontal = named.where(_is_frontal)
    count = {kind: max(len(frontal.films) * share // 100, 1) for kind, share in _SHARE.items()}
    pieces = [
        named,
        _changed(frontal, count["inverted"], generator, "inverted", _invert),
        _changed(frontal, count["rotated"], generator, "rotated", _rotate),
        _changed(frontal, count["part"], generator, "not_chest", _part),
        _several(frontal, count["several"], generator),
        _made("drawn", "not_chest", draw(count["drawn"], size, recipe.seed + place)),
        _made("phantom", "normal", _phantoms(count["phantom"], recipe, place)),
        *_severely_ill(frontal, count["severe"], generator),
        *_drawn_bodies(frontal, count["body"], generator, recipe.seed + place),
        *_views_of_bodies(named, generator),
    ]
    if pictures:
        found, inputs = _read_pictures(pictures, recipe, generator)
        pieces.append(_made("picture", "not_chest", inputs, found))
    return FilmSet(
        films=tuple(film for piece in pieces for film in piece.films),
        inputs=np.concatenate([piece.inputs for piece in pieces]),
        clusters=tuple(cluster for piece in pieces for cluster in piece.clusters),
    )


def replace_views(films: FilmSet) -> FilmSet:
    """The same films, laterals with the recorded label ``lateral``."""
    return replace(
        films,
        films=tuple(
            replace(film, label="lateral") if film.view == LATERAL_VIEW else film
            for film in films.films
        ),
    )


def _is_frontal(film: Film) -> bool:
    return recorded_kind(film) not in {"lateral", OTHER_BODY}


def _name_unequal(films: FilmSet) -> FilmSet:
    """Name real frontal radiographs with one opaque or one empty lung for what they are."""
    return replace(
        films,
        films=tuple(
            replace(film, label=UNEQUAL_SIDES) if _is_frontal(film) and unequal(image) else film
            for film, image in zip(films.films, films.inputs, strict=True)
        ),
    )


def _severely_ill(
    frontal: FilmSet, count: int, generator: np.random.Generator
) -> Iterator[FilmSet]:
    """Make severely ill chests of every kind from frontal radiographs."""
    for kind in SEVERE:

        def change(
            film: NDArray[np.uint8], generator: np.random.Generator, kind: str = kind
        ) -> NDArray[np.uint8]:
            return make_severe(film, kind, generator)

        each = max(count // len(SEVERE), 1)
        yield _changed(frontal, each, generator, f"{SEVERE_LABEL}:{kind}", change)


def _drawn_bodies(
    frontal: FilmSet, count: int, generator: np.random.Generator, seed: int
) -> Iterator[FilmSet]:
    """Draw radiographs of other bodies, each kind as a source of its own.

    Half of them take over some of the grain of a real radiograph, so that grain does not tell
    them from real ones, and some are rotated or mirrored.
    """
    size = frontal.inputs.shape[1]
    each = max(count // len(BODIES), 1)
    for place, (kind, drawing) in enumerate(BODIES.items()):
        drawings = draw(each, int(size * _DRAWN_SIDE), seed * len(BODIES) + place, [drawing])
        images = [_resized(drawn[..., 0], size) for drawn in drawings]
        for index, image in enumerate(images):
            if generator.random() < 0.5:  # noqa: PLR2004 - one in two
                real = _part(frontal.inputs[generator.integers(len(frontal.films))], generator)
                share = generator.uniform(0, _GRAIN)
                images[index] = ((1 - share) * image + share * real).astype(np.uint8)
            if generator.random() < 0.3:  # noqa: PLR2004 - three in ten
                images[index] = _reorient(images[index], generator)
        name = f"drawn {kind.replace('_', ' ')}"
        yield _made(name, f"{OTHER_BODY}:{name}", np.stack(images))


def _views_of_bodies(films: FilmSet, generator: np.random.Generator) -> Iterator[FilmSet]:
    """Show each real radiograph of another body in parts, reoriented and inverted, too."""
    bodies = films.where(lambda film: recorded_kind(film) == OTHER_BODY)
    if not bodies.films:
        return
    for _ in range(_VIEWS_OF_A_BODY):
        yield FilmSet(
            films=tuple(
                replace(film, label=f"{OTHER_BODY}:changed {film.label.rpartition('_')[2]}")
                for film in bodies.films
            ),
            inputs=np.stack([_view_of_a_body(image, generator) for image in bodies.inputs]),
            clusters=bodies.clusters,
        )


def _view_of_a_body(image: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.uint8]:
    size = image.shape[0]
    height, width = (int(size * share) for share in generator.uniform(0.35, 1, 2))
    top = int(generator.integers(0, size - height + 1))
    left = int(generator.integers(0, size - width + 1))
    view = _resized(image[top : top + height, left : left + width, 0], size)
    view = _reorient(view, generator)
    return 255 - view if generator.random() < 0.2 else view  # noqa: PLR2004 - one in five


def _reorient(image: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.uint8]:
    rotated = np.rot90(image, int(generator.integers(0, 4)))
    return rotated[:, ::-1] if generator.random() < 0.5 else rotated  # noqa: PLR2004 - one in two


def _changed(
    films: FilmSet, count: int, generator: np.random.Generator, label: str, change: _Change
) -> FilmSet:
    drawn = films.take(generator.choice(len(films.films), count))
    return FilmSet(
        films=tuple(replace(film, label=label) for film in drawn.films),
        inputs=np.stack([change(film, generator) for film in drawn.inputs]),
        clusters=drawn.clusters,
    )


def _invert(film: NDArray[np.uint8], _: np.random.Generator) -> NDArray[np.uint8]:
    return 255 - film


def _rotate(film: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.uint8]:
    return np.rot90(film, int(generator.integers(1, 4)))


def _part(film: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.uint8]:
    """A fifth to two fifths of the film's side, from anywhere."""
    size = film.shape[0]
    side = int(size * generator.uniform(0.2, 0.4))
    top, left = (int(v) for v in generator.integers(0, size - side, 2))
    return _resized(film[top : top + side, left : left + side, 0], size)


def _several(films: FilmSet, count: int, generator: np.random.Generator) -> FilmSet:
    """Four or nine films on one picture, or a small one on an empty page."""
    size = films.inputs.shape[1]
    pictures = []
    for _ in range(count):
        across = int(generator.integers(1, 4))
        if across == 1:
            page = np.full((size, size), generator.integers(0, 256), dtype=np.uint8)
            side = int(size * generator.uniform(0.15, 0.35))
            top, left = (int(v) for v in generator.integers(0, size - side, 2))
            film = films.inputs[generator.integers(len(films.films))]
            page[top : top + side, left : left + side] = _resized(film[..., 0], side)[..., 0]
        else:
            chosen = generator.choice(len(films.films), across * across)
            rows = films.inputs[chosen, ..., 0].reshape(across, across, size, size)
            page = np.concatenate([np.concatenate(list(row), axis=1) for row in rows], axis=0)
        pictures.append(_resized(page, size))
    return _made("several", "not_chest", np.stack(pictures))


def _resized(grey: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    image = Image.fromarray(np.ascontiguousarray(grey))
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))[..., np.newaxis]


def _phantoms(count: int, recipe: Recipe, place: int) -> NDArray[np.uint8]:
    """Drawn frontal films: what an acceptance test sends must pass."""
    prepare = PREPROCESSING[recipe.film.preprocessing]
    size = recipe.film.size
    seeds = range(1 + place * 10_000, 1 + place * 10_000 + count)
    films = [phantom_film(_PHANTOM_SIDE, _PHANTOM_SIDE, seed) for seed in seeds]
    return np.stack([prepare(film, size, size) for film in films])


def _made(
    source: str, label: str, inputs: NDArray[np.uint8], names: Sequence[str] | None = None
) -> FilmSet:
    names = names or [f"{source}-{index}" for index in range(len(inputs))]
    films = tuple(
        Film(file=name, source=source, label=label, group=name, licence="made or free")
        for name in names
    )
    return FilmSet(films, inputs, tuple(names))


def _pictures(folder: Path) -> list[tuple[Path, str]]:
    """Pictures with their split: every fifth sub-folder tests, every tenth validates."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _PICTURES)
    kinds = sorted({path.parent for path in found})
    split = {
        kind: "test" if place % 5 == 0 else "validation" if place % 10 == 1 else "train"
        for place, kind in enumerate(kinds)
    }
    return [(path, split[path.parent]) for path in found]


def _read_pictures(
    paths: Sequence[Path], recipe: Recipe, generator: np.random.Generator
) -> tuple[list[str], NDArray[np.uint8]]:
    """Each picture whole and in part, grey, on a ground of some grey where it is transparent."""
    prepare, size = PREPROCESSING[recipe.film.preprocessing], recipe.film.size
    names, inputs = [], []
    for path in paths:
        try:
            with Image.open(path) as image:
                upright = ImageOps.exif_transpose(image).convert("RGBA")
        except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
            continue
        if min(upright.size) < _SMALLEST_PICTURE:
            continue
        level = int(generator.choice([0, 0, 255, int(generator.integers(256))]))
        ground = Image.new("RGBA", upright.size, (level, level, level, 255))
        ground.alpha_composite(upright)
        grey = np.asarray(ground.convert("L"))
        names.append(f"{path.parent.name}/{path.name}")
        inputs.append(prepare(grey, size, size))
        height, width = (int(n * generator.uniform(0.4, 0.8)) for n in grey.shape)
        top = int(generator.integers(grey.shape[0] - height))
        left = int(generator.integers(grey.shape[1] - width))
        names.append(f"{path.parent.name}/{path.name}, part")
        inputs.append(prepare(grey[top : top + height, left : left + width], size, size))
    return names, np.stack(inputs)

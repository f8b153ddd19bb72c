"""A page of test films with their class activation maps, right answers and wrong ones."""

from __future__ import annotations

import textwrap
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image, ImageDraw

from hilum_training.films.licences import credit, may_be_shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from hilum_training.evaluation.answers import Answers
    from hilum_training.measures.calibration import Calibration

NOT_TO_BE_SHOWN: Final = "of every source of the pack; not to be passed on."
_TILE: Final = 132
_TEXT: Final = 26
_COLUMNS: Final = 4
_EACH: Final = 8
_LINE: Final = 165
"""Characters of the note that a page is wide."""
_LEADING: Final = 13
_RED: Final = (255.0, 40.0, 0.0)
_STRONGEST: Final = 0.65
_GREYS: Final = 24
_SHARES: Final = 9


@dataclass(frozen=True, slots=True)
class Shown:
    """What one tile says: which film, recorded and answered label, its probability."""

    at: int
    recorded: str
    answered: str
    probability: float
    right: bool


def choose_shown(test: Answers, calibration: Calibration, *, every: bool = False) -> list[Shown]:
    """Half of them right, half wrong: of each label in turn, the surest answers first.

    Surest first: a wrong answer that was hardly given explains nothing. Where several labels may
    hold, the surest one is what is answered, and right if the film carries it.

    Args:
        test: Films whose answer is known.
        calibration: Of the panel.
        every: Films of every source, for eyes on this machine; otherwise those that may be shown
            again.
    """
    chances = calibration.probabilities(test.logits)
    answered = chances.argmax(axis=1)
    present = test.targets.values > 0
    names = test.panel.names
    right: dict[int, list[int]] = {}
    wrong: dict[int, list[int]] = {}
    for at in np.argsort(-chances.max(axis=1), kind="stable").tolist():
        film = test.films[at]
        if every or may_be_shown(film.licence, film.licence_flags):
            side = right if present[at, answered[at]] else wrong
            label = answered[at] if test.panel.kind == "multi_label" else test.places[at]
            side.setdefault(int(label), []).append(at)
    return [
        Shown(
            at=at,
            recorded=", ".join(np.array(names)[present[at]].tolist()) or "none of them",
            answered=names[answered[at]],
            probability=float(chances[at].max()),
            right=bool(present[at, answered[at]]),
        )
        for at in (*_in_turn(right), *_in_turn(wrong))
    ]


def licence_rows(test: Answers, calibration: Calibration) -> list[dict[str, Any]]:
    """Right and wrong answers by source and licence, and whether the films may be shown again.

    Where several labels may hold, a film with none of them is left out: no answer would be right.

    Args:
        test: Films whose answer is known.
        calibration: Of the panel.
    """
    answered = calibration.probabilities(test.logits).argmax(axis=1)
    present = test.targets.values > 0
    told = np.flatnonzero(present.any(axis=1)).tolist()
    films = [test.films[at] for at in told]
    terms = [
        (film.source, film.licence, may_be_shown(film.licence, film.licence_flags))
        for film in films
    ]
    right = [bool(present[at, answered[at]]) for at in told]
    counts = Counter(zip(terms, right, strict=True))
    return [
        {
            "source": source,
            "licence": licence,
            "may_be_shown": shown,
            "right_answers": counts[(source, licence, shown), True],
            "wrong_answers": counts[(source, licence, shown), False],
        }
        for source, licence, shown in sorted(set(terms))
    ]


def shown_rows(test: Answers, shown: Sequence[Shown]) -> list[dict[str, Any]]:
    """What is on the page, in its order: each film with its licence, for its credit."""
    films = [test.films[tile.at] for tile in shown]
    return [
        {
            "film": film.file,
            "source": film.source,
            "licence": film.licence,
            "recorded": tile.recorded,
            "answered": tile.answered,
        }
        for film, tile in zip(films, shown, strict=True)
    ]


def page_note(test: Answers, shown: Sequence[Shown]) -> str:
    """Whose films are on the page, under which licences, and what was changed of them."""
    films = [test.films[tile.at] for tile in shown]
    named = credit((film.source, film.licence) for film in films)
    return f"{named}; scaled, maps added."


def draw_page(
    films: NDArray[np.uint8],
    maps: NDArray[np.float32],
    shown: Sequence[Shown],
    path: Path,
    note: str,
) -> None:
    """Write the page as PNG: each film beside itself with the answered label's map over it.

    Args:
        films: uint8 [N, size, size, 1], of the shown films in their order.
        maps: float32 [N, h, w], of the answered label, in logit units.
        shown: N tiles.
        path: Where to write.
        note: What the films are, and whose.
    """
    rows = -(-len(shown) // _COLUMNS)
    foot = textwrap.wrap(f"Test films: {note} Research use only, not for diagnosis.", _LINE)
    height = rows * (_TILE + _TEXT) + _LEADING * len(foot) + 3
    page = Image.new("RGB", (_COLUMNS * (2 * _TILE + 6), height), "white")
    pen = ImageDraw.Draw(page)
    for place, (film, heat, tile) in enumerate(zip(films[..., 0], maps, shown, strict=True)):
        x, y = place % _COLUMNS * (2 * _TILE + 6), place // _COLUMNS * (_TILE + _TEXT)
        plain = Image.fromarray(film).resize((_TILE, _TILE), Image.Resampling.BOX)
        page.paste(plain.convert("RGB"), (x, y + _TEXT))
        page.paste(_overlaid(plain, heat), (x + _TILE, y + _TEXT))
        mark = "right" if tile.right else "WRONG"
        pen.text((x + 2, y + 1), f"{mark}: {tile.answered} {tile.probability:.2f}", fill="black")
        pen.text((x + 2, y + 12), f"recorded: {tile.recorded}", fill="black")
    for place, line in enumerate(reversed(foot), start=1):
        pen.text((2, page.height - _LEADING * place), line, fill="black")
    path.parent.mkdir(parents=True, exist_ok=True)
    page.quantize(palette=_palette(), dither=Image.Dither.NONE).save(path, optimize=True)


def _palette() -> Image.Image:
    """Grey levels under shares of red, coarsely: a palette fitted to the page drops the red."""
    greys = np.linspace(0, 255, _GREYS)[np.newaxis, :, np.newaxis]
    shares = np.linspace(0, _STRONGEST, _SHARES)[:, np.newaxis, np.newaxis]
    colours = greys * (1 - shares) + np.array(_RED) * shares
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours.round().astype(np.uint8).reshape(-1).tolist())
    return palette


def _in_turn(by_label: dict[int, list[int]]) -> list[int]:
    """Up to eight, one of each label in turn."""
    queues = [list(by_label[label]) for label in sorted(by_label)]
    picked: list[int] = []
    while queues and len(picked) < _EACH:
        queues = [queue for queue in queues if queue]
        picked += [queue.pop(0) for queue in queues]
    return picked[:_EACH]


def _overlaid(film: Image.Image, heat: NDArray[np.float32]) -> Image.Image:
    """Red where the map speaks for the answer, as far as it does compared to its own peak."""
    strength = np.maximum(heat, 0) / max(float(heat.max()), 1e-6)
    grown = Image.fromarray(strength.astype(np.float32)).resize(
        (_TILE, _TILE), Image.Resampling.BILINEAR
    )
    share = _STRONGEST * np.asarray(grown)[..., np.newaxis]
    grey = np.repeat(np.asarray(film, dtype=np.float32)[..., np.newaxis], 3, axis=2)
    mixed = grey * (1 - share) + np.array(_RED, dtype=np.float32) * share
    return Image.fromarray(mixed.round().astype(np.uint8))

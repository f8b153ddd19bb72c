"""Films, recipes and a pack that the tests of the baselines share."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from hilum_training.baselines.recipes import Baseline, read_baseline
from hilum_training.films.asked import EVERY
from hilum_training.films.library import FilmSet, Library
from hilum_training.films.pack import Film
from hilum_training.recipe import read_recipe
from tests.unit.training.film_folders import FilmFolder, texture

RECIPES = Path(__file__).resolve().parents[3] / "training/recipes"
CHEST = read_recipe(RECIPES / "chest.toml")
FINDINGS = ("Effusion", "Mass|Nodule", "No Finding", "Cardiomegaly")


def shipped(name: str) -> Baseline:
    """A baseline as it is committed."""
    return read_baseline(RECIPES / f"baselines/{name}.toml", CHEST)


def film(index: int, source: str, label: str, **more: object) -> Film:
    """A film of its own patient, whose source lists all that was found."""
    asked = frozenset({EVERY})
    described = {"group": str(index), "licence": "CC BY 4.0", "asked": asked, **more}
    return Film(file=f"{index}.png", source=source, label=label, **described)


def film_set(films: list[Film]) -> FilmSet:
    """Films with empty pixels, each patient apart."""
    inputs = np.zeros((len(films), 8, 8, 1), dtype=np.uint8)
    return FilmSet(tuple(films), inputs, tuple(item.group for item in films))


def two_labels(count: int) -> Library:
    """Films of one hospital, normal and infected in turn, in three splits."""
    kinds = ("normal", "pneumonia_viral")

    def split(start: int) -> FilmSet:
        return film_set([film(start + i, "kermany", kinds[i % 2]) for i in range(count)])

    return Library(split(0), split(1000), split(2000))


def small_pack(folder: Path) -> Path:
    """Children with four labels, each with its own bright band, and adults with findings."""
    pack = FilmFolder(folder)
    labels = ("normal", "pneumonia_bacterial", "pneumonia_viral", "covid19")
    for place, label in enumerate(labels):
        for patient in range(24):
            pixels = texture(100 * place + patient).astype(int) // 2
            pixels[24 * place : 24 * place + 24] += 120
            shown = np.clip(pixels, 0, 255).astype(np.uint8)
            pack.add(f"{label}-{patient}", shown, label)
    for patient in range(96):
        more = {
            "source": "nih14",
            "labels": FINDINGS[patient % 4],
            "sex": "MF"[patient // 4 % 2],
            "view": ("PA", "AP")[patient // 8 % 2],
        }
        kind = ("other:effusion", "other:mass", "normal", "other:cardiomegaly")[patient % 4]
        pack.add(f"adult-{patient}", texture(1000 + patient), kind, **more)
    # The recipes name these sources too; no recipe takes a lateral of them.
    for place, source in enumerate(("cohen", "covid_cxnet", "shenzhen", "montgomery")):
        pack.add(source, texture(2000 + place), "normal", source=source, view="L")
    return pack.close()


def tiny_recipes(folder: Path, *names: str) -> Path:
    """The committed recipes with small films and short runs, in a folder of their own."""
    (folder / "baselines").mkdir(parents=True)
    chest = (RECIPES / "chest.toml").read_text(encoding="utf-8")
    start, end = chest.index("[network]"), chest.index("[fit]")
    network = (
        '[network]\narchitecture = "residual"\ndropout = 0.0\n'
        "widths = [4, 8, 8]\nblocks = [0, 1]\n\n"
    )
    small = re.sub(r"(?m)^size = 224", "size = 32", chest[:start] + network + chest[end:])
    small = re.sub(r"(?m)^batch = \d+", "batch = 8", small)
    (folder / "chest.toml").write_text(small, encoding="utf-8")
    for name in names:
        text = (RECIPES / f"baselines/{name}.toml").read_text(encoding="utf-8")
        text = re.sub(r"(?m)^size = \d+", "size = 32", text)
        text = re.sub(r"(?m)^widths = .*", "widths = [4, 8]", text)
        text = re.sub(r"(?m)^films = .*", "films = [20]", text)
        text = re.sub(r"(?m)^components = .*", "components = 8", text)
        (folder / f"baselines/{name}.toml").write_text(text, encoding="utf-8")
    return folder

"""One set of words for what sources record in many: findings, views, ages, sexes, licences."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NORMAL: Final = "normal"
FRONTAL: Final = "frontal (AP/PA not stated)"
PANEL_LABELS: Final = (
    NORMAL,
    "pneumonia_bacterial",
    "pneumonia_viral",
    "pneumonia_unspecified",
    "covid19",
    "tuberculosis",
)
FRONTAL_VIEWS: Final = ("PA", "AP", "AP Supine", FRONTAL)
NO_LICENCE_TEXT: Final = "no-explicit-licence-text"
UNVERIFIED: Final = "unverified-upstream"

# Words of the sources that mean one of ours; others are kept, in snake_case.
_SYNONYMS: Final = {
    "no_finding": NORMAL,
    "healthy": NORMAL,
    "tb": "tuberculosis",
    "covid_19": "covid19",
    "covid": "covid19",
    "infiltrate": "infiltration",
    "pleural_effusion": "effusion",
    "bacteria": "pneumonia_bacterial",
    "bacterial": "pneumonia_bacterial",
    "virus": "pneumonia_viral",
    "viral": "pneumonia_viral",
    "bacterial_pneumonia": "pneumonia_bacterial",
    "viral_pneumonia": "pneumonia_viral",
}
_PATHOGENS: Final = {
    "pneumonia_bacterial": {
        "bacterial",
        "chlamydophila",
        "e_coli",
        "klebsiella",
        "legionella",
        "mrsa",
        "mycoplasma",
        "mycoplasma_bacterial_pneumonia",
        "nocardia",
        "staphylococcus",
        "streptococcus",
    },
    "pneumonia_viral": {
        "h1n1",
        "herpes",
        "influenza",
        "mers",
        "mers_cov",
        "sars",
        "varicella",
        "viral",
    },
}
_OLDEST: Final = 120
_AGE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*-?\s*(y|m|w|d)?", re.IGNORECASE)
_PER_YEAR: Final = {"y": 1.0, "m": 12.0, "w": 365.25 / 7, "d": 365.25}


def word(text: str) -> str:
    """A name in snake_case: ``Pleural Thickening`` becomes ``pleural_thickening``."""
    return re.sub(r"[^a-z0-9]+", "_", text.strip().lower()).strip("_")


def finding(text: str) -> str:
    """A recorded finding in our words.

    A path such as ``Pneumonia/Viral/SARS`` goes by its last part that says something to us; a
    pathogen by the kind of its pneumonia.
    """
    parts = [word(part) for part in text.split("/")]
    for name in reversed(parts):
        if name in _SYNONYMS:
            return _SYNONYMS[name]
        for kind, pathogens in _PATHOGENS.items():
            if name in pathogens:
                return kind
    return parts[-1]


def findings(recorded: Iterable[str]) -> tuple[str, ...]:
    """Recorded findings in our words, sorted, each once; ``No Finding`` is none."""
    names = {finding(text) for text in recorded if text.strip()}
    return tuple(sorted(names - {NORMAL}))


def label(found: Sequence[str]) -> str:
    """One word for all findings: that of a panel where there is one, else ``other:a|b``.

    COVID-19 stands before its complications; a named pneumonia before an unnamed one. Bacterial and
    viral together are a pneumonia of no stated kind.
    """
    named = set(found)
    if not named:
        return NORMAL
    for decisive in ("covid19", "tuberculosis"):
        if decisive in named:
            return decisive
    kinds = named & {"pneumonia_bacterial", "pneumonia_viral"}
    if len(kinds) == 1:
        return kinds.pop()
    if kinds or named & {"pneumonia", "pneumonia_unspecified"}:
        return "pneumonia_unspecified"
    return "other:" + "|".join(sorted(named))


def age(text: str) -> float | None:
    """Years from ``45``, ``045Y``, ``45yrs``, ``16month``, ``64days``; None where there are none.

    Ages over 120 years are typing errors (ChestX-ray14 has some of 400) and count as unknown.
    """
    match = _AGE.search(text)
    if match is None:
        return None
    years = float(match[1]) / _PER_YEAR[(match[2] or "y").lower()]
    return round(years, 2) if years <= _OLDEST else None


def sex(text: str) -> str:
    """``F`` or ``M`` from ``female``, ``femal``, ``F``, ``Male`` ...; empty where neither."""
    first = text.strip()[:1].upper()
    return first if first in {"F", "M"} else ""


def view(text: str) -> str:
    """A view in our words; an unknown one as it is."""
    name = word(text)
    known = {
        "pa": "PA",
        "ap": "AP",
        "ap_supine": "AP Supine",
        "aps": "AP Supine",
        "ap_erect": "AP",
        "l": "L",
        "ll": "L",
        "lateral": "L",
        "frontal": FRONTAL,
        "frontal_ap_pa_not_stated": FRONTAL,
    }
    return known.get(name, text.strip())


def licence_flags(text: str) -> tuple[str, ...]:
    """What a licence's name restricts: of ``NC``, ``ND``, ``SA``; or that there is no text."""
    if not text.strip():
        return (NO_LICENCE_TEXT,)
    parts = set(re.split(r"[^A-Z]+", text.upper()))
    return tuple(flag for flag in ("NC", "ND", "SA") if flag in parts)

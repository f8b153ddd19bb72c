"""Which films may be shown again, and whom to name beside them."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

# Every version of CC BY asks for credit, a link to the licence and a word on what was changed.
_CREDIT_ALONE: Final = re.compile(
    r"CC[ -]BY(?:[ -]\d\.\d)?|CC0(?:[ -]\d\.\d)?|public domain", re.IGNORECASE
)
_CREDITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cohen": "Cohen et al., github.com/ieee8023/covid-chestxray-dataset",
        "kermany": "Kermany et al., doi:10.17632/rscbjbr9sj",
    }
)


def may_be_shown(licence: str, flags: Collection[str] = ()) -> bool:
    """Whether a film's licence asks for credit at most: CC BY of any version, CC0, public domain.

    Nothing more may be asked (NC, SA, ND) and nothing may be in doubt: a collector's claim that
    nobody verified is no licence, nor are terms without a text.

    Args:
        licence: As the pack states it.
        flags: What may rule the film out, e.g. ``NC`` or ``unverified-upstream``.
    """
    return not flags and _CREDIT_ALONE.fullmatch(licence.strip()) is not None


def credit(films: Iterable[tuple[str, str]]) -> str:
    """Whom to name for films, each source with the licences of its films.

    Args:
        films: Source and licence of each.
    """
    licences: dict[str, set[str]] = {}
    for source, licence in films:
        licences.setdefault(source, set()).add(licence)
    return "; ".join(
        f"{_CREDITS.get(source, source)}, {', '.join(sorted(found))}"
        for source, found in sorted(licences.items())
    )

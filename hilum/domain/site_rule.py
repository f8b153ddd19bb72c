"""Rules of a site: what an administrator decides about its images, with a default for each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from hilum.domain.principal import DEFAULT_SITE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime


class Rule(StrEnum):
    """What can be decided."""

    FOR_PROCESSING = "for_processing"
    NOT_FOR_US = "not_for_us"


REFUSE: Final = "refuse"
ACCEPT: Final = "accept"

FAILURE: Final = "failure"
SUCCESS: Final = "success"

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    Rule.FOR_PROCESSING: (REFUSE, ACCEPT),
    # How a DICOM sender is answered whose object is refused for what it is. Some never stop to
    # send what was answered with a failure.
    Rule.NOT_FOR_US: (FAILURE, SUCCESS),
}
"""Values of each rule. The first holds where nothing is decided."""


@dataclass(frozen=True, slots=True)
class SiteRule:
    """A decision of a site.

    Attributes:
        site: Whose images it is about. A rule of ``default`` holds for every site without its own.
        rule: A :class:`Rule`, or one of a newer release.
        value: One of :data:`CHOICES`.
        set_by: Who decided.
        set_at: UTC.
    """

    site: str
    rule: str
    value: str
    set_by: str
    set_at: datetime


def value_at(site: str, rule: Rule, decided: Iterable[SiteRule]) -> str:
    """Return the value of a rule that holds at a site.

    Args:
        site: Whose images.
        rule: Which rule.
        decided: Decisions of the site and of ``default``, others among them.
    """
    by_site = {item.site: item.value for item in decided if item.rule == rule}
    return by_site.get(site) or by_site.get(DEFAULT_SITE) or CHOICES[rule][0]

"""Whether raw detector images are accepted, by the rule of their site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.domain.errors import ForProcessing
from hilum.domain.principal import DEFAULT_SITE
from hilum.domain.site_rule import ACCEPT, Rule, value_at

if TYPE_CHECKING:
    from hilum.application.ports.film_reader import FilmReader
    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.imaging.film import Film


def accepts_raw(unit_of_work: UnitOfWork, site: str) -> bool:
    """Return whether a site accepts FOR PROCESSING images. Asked only where there is such an image.

    Raises:
        DatabaseUnavailable: It is down.
    """
    with unit_of_work.begin(write=False) as transaction:
        decided = transaction.site_rules.of_sites({site, DEFAULT_SITE})
    return value_at(site, Rule.FOR_PROCESSING, decided) == ACCEPT


def read_for(site: str, reader: FilmReader, content: bytes, unit_of_work: UnitOfWork) -> Film:
    """Decode an image by the rules of its site.

    Raises:
        Rejected: The image is of no use, or the site refuses such images.
        DatabaseUnavailable: It is down, and a rule decides.
    """
    try:
        return reader.read(content)
    except ForProcessing:
        if not accepts_raw(unit_of_work, site):
            raise
        return reader.read(content, for_processing=True)

"""``hilum audit``: the log of what was done by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from hilum.domain.audit import GENESIS, first_broken_link
from hilum_cli.failure import Failure, readable
from hilum_cli.options import database_of, database_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.domain.audit import AuditRecord

_PAGE: Final = 1000


@click.group("audit")
def audit() -> None:
    """Look after the audit log."""


@audit.command()
@database_options
@readable
def verify(*, database_url: str | None) -> None:
    """Follow the chain of hashes from the first event to the last; exit with 1 if it is broken.

    The chain shows what was changed or taken out before its end. Whoever wants to be sure of the
    end as well keeps the number and the hash that this prints elsewhere.
    """
    walk = _Walk(database_of(database_url).unit_of_work)
    broken = first_broken_link(walk.records())
    if broken is not None:
        raise Failure(f"the audit log is broken at event {broken}")
    click.echo(f"{walk.count} events, the chain is whole, it ends in {walk.last_hash}")


class _Walk:
    """Reads the log page by page; remembers how far it came."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work
        self.count = 0
        self.last_hash = GENESIS

    def records(self) -> Iterator[AuditRecord]:
        """Every record in order. The log only grows, so each page may have its transaction."""
        sequence = 0
        while True:
            with self._unit_of_work.begin(write=False) as transaction:
                page = transaction.audit.records(sequence, _PAGE)
            if not page:
                return
            for record in page:
                yield record
                self.count += 1
                self.last_hash = record.hash
            sequence = page[-1].sequence

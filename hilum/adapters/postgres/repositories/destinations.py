"""Destinations of results."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from hilum.adapters.postgres.execution import Statement
from hilum.adapters.postgres.insertion import insert_absent
from hilum.adapters.postgres.tables import DESTINATIONS
from hilum.domain.destination import (
    Destination,
    DestinationKind,
    EncodingOptions,
    ObjectKind,
    When,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.engine import Connection

_ADDRESS: Final = ("ae_title", "host", "port", "url", "calling_ae", "tls")
_RULE: Final = ("when", "weak_labels")
_ORDER: Final = (DESTINATIONS.c.site, DESTINATIONS.c.id)
_ALL: Final = sa.select(DESTINATIONS).order_by(*_ORDER)
_OF_SITE: Final = Statement(
    _ALL.where(DESTINATIONS.c.site == sa.bindparam("of_site"), DESTINATIONS.c.enabled)
)
_ONE: Final = Statement(_ALL.where(DESTINATIONS.c.id == sa.bindparam("wanted")))


class SqlDestinationRepository:
    """See :class:`hilum.application.ports.destinations.DestinationRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, destination: Destination) -> bool:
        """Add a destination; False if its site has one of that name."""
        return bool(insert_absent(self._connection, DESTINATIONS.c.id, [_row(destination)]))

    def change(self, destination: Destination) -> bool:
        """Write a destination anew; False if it is not there."""
        changed = sa.update(DESTINATIONS).where(DESTINATIONS.c.id == destination.id)
        return bool(self._connection.execute(changed.values(_row(destination))).rowcount)

    def remove(self, destination_id: str) -> bool:
        """Remove a destination to which nothing was ever delivered; False if it is not there."""
        gone = sa.delete(DESTINATIONS).where(DESTINATIONS.c.id == destination_id)
        return bool(self._connection.execute(gone).rowcount)

    def get(self, destination_id: str) -> Destination | None:
        """Return a destination."""
        row = _ONE.first(self._connection, {"wanted": destination_id})
        return None if row is None else _destination(row)

    def all(self) -> Sequence[Destination]:
        """Return every destination, by site and name."""
        return [_destination(row) for row in self._connection.execute(_ALL)]

    def of_site(self, site: str) -> Sequence[Destination]:
        """Return the destinations of a site to which results are sent, by name."""
        return [_destination(row) for row in _OF_SITE.all(self._connection, {"of_site": site})]


def _row(destination: Destination) -> dict[str, Any]:
    values = asdict(destination)
    return {
        **{column.name: values.get(column.name) for column in DESTINATIONS.c},
        "kind": destination.kind.value,
        "address": {name: values[name] for name in _ADDRESS},
        "objects": [kind.value for kind in destination.objects],
        "options": values["options"],
        "rule": {name: values[name] for name in _RULE},
    }


def _destination(row: Sequence[Any]) -> Destination:
    values = dict(zip(DESTINATIONS.c.keys(), row, strict=True))
    address, rule = values.pop("address"), values.pop("rule")
    return Destination(
        **{
            **values,
            **_known(address, _ADDRESS),
            "kind": DestinationKind(values["kind"]),
            "objects": tuple(ObjectKind(kind) for kind in values["objects"]),
            "options": EncodingOptions(
                **_known(values["options"], [each.name for each in fields(EncodingOptions)])
            ),
            "when": When(rule["when"]),
            "weak_labels": rule["weak_labels"],
        }
    )


def _known(document: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return what this release knows of a document; a newer one may write more."""
    return {name: document[name] for name in names if name in document}

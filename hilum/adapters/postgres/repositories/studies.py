"""Studies and their instances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from hilum.adapters.postgres.execution import Statement
from hilum.adapters.postgres.insertion import insert
from hilum.adapters.postgres.tables import INSTANCES, STUDIES
from hilum.domain.study import Instance

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from sqlalchemy.engine import Connection

    from hilum.domain.study import Study

_INSTANCE = Statement(
    sa.select(
        INSTANCES.c.id,
        INSTANCES.c.study_id,
        INSTANCES.c.filename,
        INSTANCES.c.media_type,
        INSTANCES.c.size_bytes,
        INSTANCES.c.sha256,
        INSTANCES.c.sop_instance_uid,
        INSTANCES.c.object_key,
    ).where(INSTANCES.c.id == sa.bindparam("wanted_id"))
)


class SqlStudyRepository:
    """See :class:`hilum.application.ports.repositories.StudyRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, study: Study, instances: Iterable[Instance]) -> None:
        """Add a study with its instances."""
        row = {
            "id": study.id,
            "site": study.site,
            "patient_ref": study.patient_ref,
            "priority": study.priority.value,
            "submitted_by": study.submitted_by,
            "received_at": study.received_at,
        }
        insert(self._connection, STUDIES, [row])
        self.add_instances(instances)

    def add_instances(self, instances: Iterable[Instance]) -> None:
        """Add instances to a study that is there."""
        rows = [
            {
                "id": instance.id,
                "study_id": instance.study_id,
                "filename": instance.filename,
                "media_type": instance.media_type,
                "size_bytes": instance.size_bytes,
                "sha256": instance.sha256,
                "sop_instance_uid": instance.sop_instance_uid,
                "object_key": instance.object_key,
            }
            for instance in instances
        ]
        insert(self._connection, INSTANCES, rows)

    def instance(self, instance_id: UUID) -> Instance | None:
        """An instance by id."""
        row = _INSTANCE.first(self._connection, {"wanted_id": instance_id})
        return Instance(*row) if row else None

"""Rows of former releases outlive a migration, up and back."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from hilum.adapters.postgres import migrate
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.repositories.work_table import JOB_WORK
from hilum.adapters.postgres.tables import METADATA
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from tests.contract.samples import NOW, a_film, accepted, an_analysis

if TYPE_CHECKING:
    from hilum.domain.job import Job


def test_an_upgrade_keeps_the_rows(database_url: str) -> None:
    """An upgrade of a database that is in use changes nothing that it holds."""
    engine = create_database_engine(database_url)
    unit_of_work = SqlUnitOfWork(engine)
    job = accepted(unit_of_work)
    migrate.upgrade(database_url)
    with unit_of_work.begin(write=False) as transaction:
        assert transaction.jobs.get(job.id) == job
    engine.dispose()


def _accepted_before(engine: sa.Engine) -> Job:
    """A job as a former release accepted it: without the columns that it did not know."""
    film = a_film()
    rows = {
        "studies": {
            **asdict(film.submission),
            "priority": film.submission.priority.value,
            "submitted_by": film.submission.principal.id,
        },
        "instances": asdict(film.instance),
        "jobs": JOB_WORK.row_of(film.job),
    }
    with engine.begin() as connection:
        for name, row in rows.items():
            known = {column["name"] for column in sa.inspect(connection).get_columns(name)}
            values = {column: value for column, value in row.items() if column in known}
            connection.execute(sa.insert(METADATA.tables[name]).values(values))
    return film.job


FIRST_PANELS = [
    {
        "panel": "pneumonia",
        "model": "pneumonia",
        "version": "0.1.0",
        "findings": [
            {
                "label": "covid19",
                "display": "COVID-19",
                "probability": 0.7,
                "operating_point": 0.5,
                "positive": True,
                "abnormal": True,
                "weak": True,
                "code": {"scheme": "SCT", "value": "840539006", "meaning": "COVID-19"},
            }
        ],
    }
]
"""What the release with schema 0001 wrote into ``results.panels``."""


def test_a_result_of_the_first_release_is_read_as_it_was_meant(empty_url: str) -> None:
    """Without gate, boxes and structures; every label had a heatmap then."""
    migrate.upgrade(empty_url, "0001")
    engine = create_database_engine(empty_url)
    unit_of_work = SqlUnitOfWork(engine)
    job = _accepted_before(engine)
    results = sa.Table("results", sa.MetaData(), autoload_with=engine)
    with engine.begin() as connection:
        connection.execute(
            results.insert().values(
                job_id=job.id.hex if engine.dialect.name == "sqlite" else job.id,
                model_set="ms-1",
                panels=FIRST_PANELS,
                rows=10,
                columns=20,
                inverted=False,
                created_at=NOW.replace(tzinfo=None) if engine.dialect.name == "sqlite" else NOW,
            )
        )
    migrate.upgrade(empty_url)
    with unit_of_work.begin(write=False) as transaction:
        analysis = transaction.results.get(job.id)
        assert transaction.results.gate(job.id) is None
    engine.dispose()
    assert analysis is not None
    assert (analysis.gate, analysis.structures) == (None, ())
    (finding,) = analysis.panels[0].findings
    assert (finding.label, finding.heatmap, finding.boxes) == ("covid19", True, ())
    assert finding.code is not None


def test_the_way_back_to_the_first_release_keeps_its_results(database_url: str) -> None:
    """What the gate said is lost, and nothing else."""
    engine = create_database_engine(database_url)
    unit_of_work = SqlUnitOfWork(engine)
    analysis = an_analysis(accepted(unit_of_work))
    with unit_of_work.begin() as transaction:
        transaction.results.add(analysis)
    migrate.downgrade(database_url, "0001")
    migrate.upgrade(database_url)
    with unit_of_work.begin(write=False) as transaction:
        back = transaction.results.get(analysis.job_id)
    engine.dispose()
    older = replace(analysis, heatmaps=(), gate=None, structures=(), impression=None)
    assert back == replace(older, pixel_aspect=1.0)

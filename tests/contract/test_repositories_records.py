"""What the repositories of studies and results promise, on every database."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from hilum.domain.errors import InternalError
from hilum.domain.finding import ResultOverview
from hilum.domain.study import Role
from tests.contract.samples import (
    NOW,
    a_film,
    a_gate_reading,
    a_stop,
    accept,
    accepted,
    an_analysis,
)

if TYPE_CHECKING:
    from hilum.application.ports.unit_of_work import UnitOfWork


def test_an_instance_comes_back_as_it_was_added(unit_of_work: UnitOfWork) -> None:
    """Every field survives: a size beyond 32 bits, a name beyond ASCII, a missing UID."""
    film = a_film()
    without_uid = replace(film.instance, id=uuid4(), sop_instance_uid=None)
    described = replace(
        film.instance,
        id=uuid4(),
        content_sha256="cd" * 32,
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.1.1",
        presentation_intent="FOR PRESENTATION",
        view_position="PA",
        patient_orientation="L\\F",
        acquired_at=NOW,
        role=Role.LATERAL,
    )
    with unit_of_work.begin() as transaction:
        instances = [film.instance, without_uid, described]
        transaction.submissions.add_instances(film.submission, instances)
    with unit_of_work.begin(write=False) as transaction:
        assert transaction.submissions.instance(film.instance.id) == film.instance
        assert transaction.submissions.instance(without_uid.id) == without_uid
        assert transaction.submissions.instance(described.id) == described
        assert transaction.submissions.instance(uuid4()) is None


def test_a_parent_is_added_once(unit_of_work: UnitOfWork) -> None:
    """A submission that grows finds its own. The same instance again is a defect."""
    film, other = a_film(), a_film()
    accept(unit_of_work, film)
    again = replace(film.instance, id=uuid4())
    with unit_of_work.begin() as transaction:
        transaction.submissions.add_instances(film.submission, [again])

    def add_again() -> None:
        with unit_of_work.begin() as transaction:
            transaction.submissions.add_instances(other.submission, [other.instance])
            transaction.submissions.add_instances(film.submission, [again])

    with pytest.raises(InternalError):
        add_again()
    with unit_of_work.begin(write=False) as transaction:
        assert transaction.submissions.instance(again.id) == again
        assert transaction.submissions.instance(other.instance.id) is None


def test_a_result_comes_back_without_its_heatmaps(unit_of_work: UnitOfWork) -> None:
    """Numbers bit for bit, codes, boxes, outlines, order; heatmaps are asked for one by one."""
    analysis = an_analysis(accepted(unit_of_work))
    with unit_of_work.begin() as transaction:
        assert transaction.results.add(analysis)
    with unit_of_work.begin(write=False) as transaction:
        assert transaction.results.get(analysis.job_id) == replace(analysis, heatmaps=())
        for heatmap in analysis.heatmaps:
            found = transaction.results.heatmap(analysis.job_id, "pneumonia", heatmap.label)
            assert found == heatmap
            assert isinstance(found.values, bytes)


def test_the_overviews_of_many_results_come_at_once(unit_of_work: UnitOfWork) -> None:
    """By job, of those that have a result; the others are left out."""
    analyses = [an_analysis(accepted(unit_of_work)) for _ in range(3)]
    with unit_of_work.begin() as transaction:
        for analysis in analyses[:2]:
            assert transaction.results.add(analysis)
    with unit_of_work.begin(write=False) as transaction:
        results = transaction.results
        wanted = [analysis.job_id for analysis in analyses]
        assert dict(results.overviews([*wanted, uuid4()])) == {
            analysis.job_id: ResultOverview(analysis.panels, analysis.impression)
            for analysis in analyses[:2]
        }
        assert dict(results.overviews([])) == {}


def test_what_has_no_result_is_none(unit_of_work: UnitOfWork) -> None:
    """An unknown job, panel or label gives None."""
    analysis = an_analysis(accepted(unit_of_work))
    with unit_of_work.begin() as transaction:
        transaction.results.add(analysis)
        results = transaction.results
        assert results.get(uuid4()) is None
        assert results.heatmap(uuid4(), "pneumonia", "normal") is None
        assert results.heatmap(analysis.job_id, "fracture", "normal") is None
        assert results.heatmap(analysis.job_id, "pneumonia", "fracture") is None


def test_a_result_is_written_once(unit_of_work: UnitOfWork) -> None:
    """A second result for the job is refused, and the first stays as it is, heatmaps too."""
    analysis = an_analysis(accepted(unit_of_work))
    blank = replace(analysis.heatmaps[0], values=bytes(6))
    second = replace(analysis, panels=(), heatmaps=(blank,))
    with unit_of_work.begin() as transaction:
        assert transaction.results.add(analysis)
        assert not transaction.results.add(second)
    with unit_of_work.begin() as transaction:
        assert not transaction.results.add(second)
        assert transaction.results.get(analysis.job_id) == replace(analysis, heatmaps=())
        found = transaction.results.heatmap(analysis.job_id, "pneumonia", "normal")
        assert found == analysis.heatmaps[0]


def test_a_result_without_heatmaps_is_one(unit_of_work: UnitOfWork) -> None:
    """A model without maps still gives a result."""
    analysis = replace(an_analysis(accepted(unit_of_work)), heatmaps=())
    with unit_of_work.begin() as transaction:
        assert transaction.results.add(analysis)
        assert transaction.results.get(analysis.job_id) == analysis


def test_a_result_needs_its_job(unit_of_work: UnitOfWork) -> None:
    """A result of no job is a defect."""
    with pytest.raises(InternalError), unit_of_work.begin() as transaction:
        transaction.results.add(an_analysis(a_film().job))


def test_a_result_of_a_set_without_gate_and_structures_is_one(unit_of_work: UnitOfWork) -> None:
    """A model repository of an earlier release has neither."""
    analysis = replace(an_analysis(accepted(unit_of_work)), gate=None, structures=(), heatmaps=())
    with unit_of_work.begin() as transaction:
        assert transaction.results.add(analysis)
        assert transaction.results.get(analysis.job_id) == analysis
        assert transaction.results.gate(analysis.job_id) is None


def test_what_the_gate_said_is_kept_of_films_that_pass_and_of_films_that_stop(
    unit_of_work: UnitOfWork,
) -> None:
    """With a result or without one; a job that was never at the gate has nothing."""
    passed, stopped, neither = (accepted(unit_of_work) for _ in range(3))
    analysis = an_analysis(passed)
    with unit_of_work.begin() as transaction:
        assert transaction.results.add(analysis)
        assert transaction.results.add_gate(a_stop(stopped))
    with unit_of_work.begin(write=False) as transaction:
        assert transaction.results.gate(passed.id) == analysis.gate
        assert transaction.results.gate(stopped.id) == a_stop(stopped).reading
        assert transaction.results.get(stopped.id) is None
        assert transaction.results.gate(neither.id) is None


def test_what_the_gate_said_is_written_once(unit_of_work: UnitOfWork) -> None:
    """A second record for the job is refused, and the first stays."""
    job = accepted(unit_of_work)
    with unit_of_work.begin() as transaction:
        assert transaction.results.add_gate(a_stop(job))
        assert not transaction.results.add_gate(replace(a_stop(job), reading=a_gate_reading(0.4)))
        assert transaction.results.gate(job.id) == a_stop(job).reading


def test_what_the_gate_said_needs_its_job(unit_of_work: UnitOfWork) -> None:
    """A record of no job is a defect."""
    with pytest.raises(InternalError), unit_of_work.begin() as transaction:
        transaction.results.add_gate(a_stop(a_film().job))

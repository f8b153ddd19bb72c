"""What the gateway is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from hilum.application.access.manage_keys import ManageKeys
    from hilum.application.access.manage_sessions import ManageSessions
    from hilum.application.intake.submit_images import SubmitImages
    from hilum.application.operations.manage_operations import ManageOperations
    from hilum.application.ports.clock import Clock
    from hilum.application.ports.model_catalogue import ModelCatalogue
    from hilum.application.ports.object_store import ObjectStore
    from hilum.application.ports.task_queue import TaskQueue
    from hilum.application.ports.unit_of_work import UnitOfWork
    from hilum.application.queue.manage_sites import ManageSites
    from hilum.application.queue.measure_queues import MeasureQueues
    from hilum.application.queue.operate_flows import OperateFlows
    from hilum.application.queue.operate_jobs import OperateJobs
    from hilum.application.results.read_jobs import ReadJobs
    from hilum.application.results.read_submission import ReadSubmission
    from hilum.application.results.show_film import ShowFilm
    from hilum_gateway.wiring.settings import Settings


@dataclass(frozen=True, slots=True)
class Container:
    """The parts of one gateway, wired by :func:`hilum_gateway.bootstrap.bootstrap`.

    Attributes:
        settings: As read at the start.
        submit_images: Takes films in.
        read_submission: Shows what became of a submission.
        read_jobs: Shows jobs, results and films as they came.
        show_film: Shows previews and heatmaps.
        operate_jobs: Acts on one job.
        operate_flows: Pauses and resumes.
        manage_sites: Shows sites and sets their weights.
        operations: Acts on many jobs.
        manage_keys: Checks, makes and revokes API keys.
        manage_sessions: Opens and ends sessions of people.
        measure_queues: Depth of the queues, for the metrics.
        catalogue: The served models.
        unit_of_work: Only for its check; routes reach the database through use cases.
        store: Likewise.
        queue: Likewise.
        clock: The time.
        close: Gives connections back when the process stops.
    """

    settings: Settings
    submit_images: SubmitImages
    read_submission: ReadSubmission
    read_jobs: ReadJobs
    show_film: ShowFilm
    operate_jobs: OperateJobs
    operate_flows: OperateFlows
    manage_sites: ManageSites
    operations: ManageOperations
    manage_keys: ManageKeys
    manage_sessions: ManageSessions
    measure_queues: MeasureQueues
    catalogue: ModelCatalogue
    unit_of_work: UnitOfWork
    store: ObjectStore
    queue: TaskQueue
    clock: Clock
    close: Callable[[], None]

"""The outside is down or busy: the job goes back to the queue and is tried again."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from hilum.domain.errors.root import HilumError


class Dependency(StrEnum):
    """What the platform's processes ask over a network."""

    DATABASE = "database"
    OBJECT_STORE = "object_store"
    BROKER = "broker"
    INFERENCE = "inference"
    DESTINATION = "destination"


class Transient(HilumError):
    """Something outside is down or busy. The job goes back to ``queued`` and is tried again."""

    code = "transient"


class DependencyUnavailable(Transient):
    """A server does not answer. While its probe fails, the attempt does not count.

    Attributes:
        dependency: Which one.
    """

    code = "dependency_unavailable"
    dependency: ClassVar[Dependency]


class DatabaseUnavailable(DependencyUnavailable):
    """The database does not answer, or asked for the transaction to be run again."""

    code = "database_unavailable"
    dependency = Dependency.DATABASE


class SchemaIncompatible(DatabaseUnavailable):
    """A newer release changed the database in a way that this release cannot work with."""

    code = "schema_incompatible"


class ObjectStoreUnavailable(DependencyUnavailable):
    """The object store does not answer."""

    code = "object_store_unavailable"
    dependency = Dependency.OBJECT_STORE


class BrokerUnavailable(DependencyUnavailable):
    """The broker does not answer, or refuses. Workers go on without it, more slowly."""

    code = "broker_unavailable"
    dependency = Dependency.BROKER


class InferenceUnavailable(DependencyUnavailable):
    """The inference server does not answer, or not in time."""

    code = "inference_unavailable"
    dependency = Dependency.INFERENCE


class DestinationUnavailable(DependencyUnavailable):
    """A destination of results does not answer, or refuses for now."""

    code = "destination_unavailable"
    dependency = Dependency.DESTINATION


class AttemptFailed(Transient):
    """An attempt failed by itself. It counts, and the next one comes after a backoff."""

    code = "attempt_failed"


class OutOfMemory(AttemptFailed):
    """The worker has no memory left for this film now; with fewer films in flight it may."""

    code = "out_of_memory"


class DestinationBusy(AttemptFailed):
    """A destination took a part of what it got, and could not take the rest now."""

    code = "destination_busy"


class WorkerLost(AttemptFailed):
    """A worker's lease ran out: it died, or hung."""

    code = "worker_lost"

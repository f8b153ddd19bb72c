"""The outside is down or busy: the job goes back to the queue, with a backoff."""

from __future__ import annotations

from hilum.domain.errors.root import HilumError


class Transient(HilumError):
    """Something outside is down or busy. The job goes back to ``queued`` with a backoff."""

    code = "transient"


class DatabaseUnavailable(Transient):
    """The database does not answer, or asked for the transaction to be run again."""

    code = "database_unavailable"


class SchemaIncompatible(DatabaseUnavailable):
    """A newer release changed the database in a way that this release cannot work with."""

    code = "schema_incompatible"


class ObjectStoreUnavailable(Transient):
    """The object store does not answer."""

    code = "object_store_unavailable"


class BrokerUnavailable(Transient):
    """The broker does not answer. Workers go on without it, more slowly."""

    code = "broker_unavailable"


class InferenceUnavailable(Transient):
    """The inference server does not answer, or not in time."""

    code = "inference_unavailable"


class OutOfMemory(Transient):
    """The worker has no memory left for this film now; with fewer films in flight it may."""

    code = "out_of_memory"


class WorkerLost(Transient):
    """A worker's lease ran out: it died, or hung."""

    code = "worker_lost"

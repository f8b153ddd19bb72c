"""A defect or a wrong installation: the job is parked for an operator."""

from __future__ import annotations

from hilum.domain.errors.root import HilumError


class Permanent(HilumError):
    """A defect or a wrong installation. The job is parked as ``failed`` for an operator."""

    code = "permanent"


class ObjectMissing(Permanent):
    """A row names an object that the store does not hold."""

    code = "object_missing"


class ModelNotServed(Permanent):
    """The inference server has no such model or version."""

    code = "model_not_served"


class InferenceFailed(Permanent):
    """The model refused the input or gave something other than its manifest promises."""

    code = "inference_failed"


class InvalidManifest(Permanent):
    """A model's manifest is missing, malformed, or does not match its artefacts."""

    code = "invalid_manifest"


class BackupDamaged(Permanent):
    """A backup lacks something that it promises, or what it holds was changed."""

    code = "backup_damaged"


class DatabaseCopyFailed(Permanent):
    """The database could not be dumped, or a dump not loaded, by the program that does it."""

    code = "database_copy_failed"


class DestinationRefuses(Permanent):
    """A destination rejected an association or an object for good."""

    code = "destination_refuses"


class ResultNotEncodable(Permanent):
    """No valid DICOM object can be made of a result."""

    code = "result_not_encodable"


class ContextMissing(Permanent):
    """What the objects of a result need of its image is not kept, and the image is gone."""

    code = "context_missing"


class InternalError(Permanent):
    """An error that nobody foresaw; the log has its trace under the job's id."""

    code = "internal_error"

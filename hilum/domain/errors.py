"""Everything that can go wrong, as one tree.

The class of an error says what happens to the job or to the request::

    HilumError
    |-- Rejected                      bad input: ends at once with a reason, never retried
    |   |-- UnsupportedFormat         unsupported_format
    |   |-- UnsupportedTransferSyntax unsupported_transfer_syntax
    |   |-- UnreadableFilm            unreadable_film
    |   |   `-- TruncatedFilm         truncated_film
    |   |-- NotAnImage                not_an_image
    |   |-- MultiFrameFilm            multi_frame
    |   |-- ColourFilm                colour_film
    |   |-- FilmTooSmall              film_too_small
    |   |-- NotAFrontalChestXray      not_a_frontal_chest_xray
    |   `-- LimitExceeded             (each names the limit in its text)
    |       |-- FileTooLarge          file_too_large
    |       |-- RequestTooLarge       request_too_large
    |       |-- TooManyFiles          too_many_files
    |       |-- TooManyPixels         too_many_pixels
    |       `-- CompressionRatioTooHigh compression_ratio_too_high
    |-- Transient                     the outside is down or busy: retry with backoff
    |   |-- DatabaseUnavailable       database_unavailable
    |   |   `-- SchemaIncompatible    schema_incompatible
    |   |-- ObjectStoreUnavailable    object_store_unavailable
    |   |-- BrokerUnavailable         broker_unavailable
    |   |-- InferenceUnavailable      inference_unavailable
    |   |-- OutOfMemory               out_of_memory
    |   `-- WorkerLost                worker_lost
    |-- Permanent                     a defect or a wrong installation: park for an operator
    |   |-- ObjectMissing             object_missing
    |   |-- ModelNotServed            model_not_served
    |   |-- InferenceFailed           inference_failed
    |   |-- InvalidManifest           invalid_manifest
    |   |-- BackupDamaged             backup_damaged
    |   |-- DatabaseCopyFailed        database_copy_failed
    |   `-- InternalError             internal_error
    `-- Refused                       a request that may not or cannot be done now
        |-- NotAuthenticated          not_authenticated
        |-- NotPermitted              not_permitted
        |-- NotFound                  not_found
        |-- FilmExpired               film_expired
        |-- InvalidRequest            invalid_request
        |-- TransitionNotAllowed      transition_not_allowed
        |-- OperatingPointsMissing    operating_points_missing
        |-- NothingToRollBack         nothing_to_roll_back
        |-- RestoreRefused            restore_refused
        |-- BackupStoreBusy           backup_store_busy
        `-- TooFewFilms               too_few_films

A code is stable: programs match on it, so it is never renamed. Domain errors carry no HTTP
status; the gateway maps them.
"""

from __future__ import annotations

from typing import ClassVar


class HilumError(Exception):
    """Root of the tree.

    Attributes:
        code: Stable, machine-readable name of what went wrong.
        detail: One sentence for a person. Never holds a patient's data or a secret.
    """

    code: ClassVar[str] = "error"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Rejected(HilumError):
    """Bad input. The job ends ``rejected`` with this reason and is never retried."""

    code = "rejected"


class UnsupportedFormat(Rejected):
    """The bytes are neither DICOM, PNG nor JPEG."""

    code = "unsupported_format"


class UnsupportedTransferSyntax(Rejected):
    """The DICOM transfer syntax has no decoder here (PS3.5 section 8, annex A)."""

    code = "unsupported_transfer_syntax"


class UnreadableFilm(Rejected):
    """The file claims a known format and cannot be decoded as it."""

    code = "unreadable_film"


class TruncatedFilm(UnreadableFilm):
    """The file ends before its pixels do."""

    code = "truncated_film"


class NotAnImage(Rejected):
    """A DICOM object without pixel data (a report, a presentation state)."""

    code = "not_an_image"


class MultiFrameFilm(Rejected):
    """More than one frame: a radiograph has one."""

    code = "multi_frame"


class ColourFilm(Rejected):
    """Real colour, so not a radiograph (grey stored as RGB is accepted)."""

    code = "colour_film"


class FilmTooSmall(Rejected):
    """Too few pixels for any model to say something true."""

    code = "film_too_small"


class NotAFrontalChestXray(Rejected):
    """The gate does not take the film for a frontal chest X-ray; nothing else was asked of it."""

    code = "not_a_frontal_chest_xray"


class LimitExceeded(Rejected):
    """A configured limit was exceeded; the text names the limit."""

    code = "limit_exceeded"


class FileTooLarge(LimitExceeded):
    """More bytes in one file than allowed."""

    code = "file_too_large"


class RequestTooLarge(LimitExceeded):
    """More bytes in one request than allowed."""

    code = "request_too_large"


class TooManyFiles(LimitExceeded):
    """More files in one request than allowed."""

    code = "too_many_files"


class TooManyPixels(LimitExceeded):
    """More pixels than allowed, read from the header before decoding."""

    code = "too_many_pixels"


class CompressionRatioTooHigh(LimitExceeded):
    """The header promises far more pixels than the bytes can honestly hold."""

    code = "compression_ratio_too_high"


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
    """The broker does not answer. Harmless to accepted films: the reconciler rings later."""

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


class InternalError(Permanent):
    """An error that nobody foresaw; the log has its trace under the job's id."""

    code = "internal_error"


class Refused(HilumError):
    """A request that may not be done, or cannot be done in the present state."""

    code = "refused"


class NotAuthenticated(Refused):
    """No key, an unknown key, or a revoked one."""

    code = "not_authenticated"


class NotPermitted(Refused):
    """The key is known and its role or site does not allow this."""

    code = "not_permitted"


class NotFound(Refused):
    """No such thing, or none that this key may see."""

    code = "not_found"


class FilmExpired(Refused):
    """The film was removed after its time; what was read of it is there."""

    code = "film_expired"


class InvalidRequest(Refused):
    """A parameter is missing or malformed."""

    code = "invalid_request"


class TransitionNotAllowed(Refused):
    """The job's state does not allow the asked transition."""

    code = "transition_not_allowed"


class OperatingPointsMissing(Refused):
    """A site has no operating point of its own for a label of the version to be promoted."""

    code = "operating_points_missing"


class NothingToRollBack(Refused):
    """A site has no promotion of the model before the one in force."""

    code = "nothing_to_roll_back"


class RestoreRefused(Refused):
    """A restore would replace films that are there, or the database under somebody's feet."""

    code = "restore_refused"


class BackupStoreBusy(Refused):
    """Backups are being removed while one is made, or the other way round."""

    code = "backup_store_busy"


class TooFewFilms(Refused):
    """Too few labelled films, or of too few patients, to fit a threshold on."""

    code = "too_few_films"

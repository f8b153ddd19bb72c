"""Everything that can go wrong, as one tree.

The class of an error says what happens to the job or to the request::

    HilumError
    |-- Rejected                      bad input: ends at once with a reason, never retried
    |   |-- UnsupportedFormat         unsupported_format
    |   |-- UnsupportedTransferSyntax unsupported_transfer_syntax
    |   |-- UnreadableFilm            unreadable_film
    |   |   |-- DecoderCrashed        decoder_crashed
    |   |   `-- TruncatedFilm         truncated_film
    |   |-- NotAnImage                not_an_image
    |   |-- WrongIdentifiers          wrong_identifiers
    |   |-- MultiFrameFilm            multi_frame
    |   |-- ColourFilm                colour_film
    |   |-- BlankRendering            blank_rendering
    |   |-- ForProcessing             for_processing
    |   |-- FilmTooSmall              film_too_small
    |   |-- NotAFrontalChestXray      not_a_frontal_chest_xray
    |   `-- LimitExceeded             (each names the limit in its text)
    |       |-- FileTooLarge          file_too_large
    |       |-- RequestTooLarge       request_too_large
    |       |-- TooManyFiles          too_many_files
    |       |-- TooManyPixels         too_many_pixels
    |       |-- TooManyElements       too_many_elements
    |       |-- NestedTooDeep         nested_too_deep
    |       |-- TooManySegments       too_many_segments
    |       |-- TooManyScans          too_many_scans
    |       |-- WorkingMemoryExceeded working_memory
    |       |-- CpuTimeExceeded       cpu_time
    |       `-- CompressionRatioTooHigh compression_ratio_too_high
    |-- Transient                     the outside is down or busy: tried again
    |   |-- DependencyUnavailable     does not count while the dependency's probe fails
    |   |   |-- DatabaseUnavailable   database_unavailable
    |   |   |   `-- SchemaIncompatible schema_incompatible
    |   |   |-- ObjectStoreUnavailable object_store_unavailable
    |   |   |-- BrokerUnavailable     broker_unavailable
    |   |   |-- InferenceUnavailable  inference_unavailable
    |   |   `-- DestinationUnavailable destination_unavailable (blocks the flow of that destination)
    |   `-- AttemptFailed             counts, with a backoff
    |       |-- OutOfMemory           out_of_memory
    |       |-- DestinationBusy       destination_busy
    |       `-- WorkerLost            worker_lost
    |-- Permanent                     a defect or a wrong installation: park for an operator
    |   |-- ObjectMissing             object_missing
    |   |-- ModelNotServed            model_not_served
    |   |-- InferenceFailed           inference_failed
    |   |-- InvalidManifest           invalid_manifest
    |   |-- BackupDamaged             backup_damaged
    |   |-- DatabaseCopyFailed        database_copy_failed
    |   |-- DestinationRefuses        destination_refuses
    |   |-- ResultNotEncodable        result_not_encodable
    |   |-- ContextMissing            context_missing
    |   `-- InternalError             internal_error
    `-- Refused                       a request that may not or cannot be done now
        |-- NotAuthenticated          not_authenticated
        |-- NotPermitted              not_permitted
        |-- NotFound                  not_found
        |-- FilmExpired               film_expired
        |-- InvalidRequest            invalid_request
        |-- UploadTooSlow             upload_too_slow
        |-- TransitionNotAllowed      transition_not_allowed
        |-- OperatingPointsMissing    operating_points_missing
        |-- NothingToRollBack         nothing_to_roll_back
        |-- RestoreRefused            restore_refused
        |-- BackupStoreBusy           backup_store_busy
        |-- TooFewFilms               too_few_films
        |-- LabelNotSeparable         label_not_separable
        |-- LabelNotExperimental      label_not_experimental
        `-- NoShippedPoint            no_shipped_point

Each fate has a module of its own. Every class is imported from here: who raises or catches names
the error, whatever its fate.

A code is stable: programs match on it, so it is never renamed. Domain errors carry no HTTP
status; the gateway maps them.
"""

from __future__ import annotations

from hilum.domain.errors.permanent import (
    BackupDamaged,
    ContextMissing,
    DatabaseCopyFailed,
    DestinationRefuses,
    InferenceFailed,
    InternalError,
    InvalidManifest,
    ModelNotServed,
    ObjectMissing,
    Permanent,
    ResultNotEncodable,
)
from hilum.domain.errors.refused import (
    BackupStoreBusy,
    FilmExpired,
    InvalidRequest,
    LabelNotExperimental,
    LabelNotSeparable,
    NoShippedPoint,
    NotAuthenticated,
    NotFound,
    NothingToRollBack,
    NotPermitted,
    OperatingPointsMissing,
    Refused,
    RestoreRefused,
    TooFewFilms,
    TransitionNotAllowed,
    UploadTooSlow,
)
from hilum.domain.errors.rejected import (
    BlankRendering,
    ColourFilm,
    CompressionRatioTooHigh,
    CpuTimeExceeded,
    DecoderCrashed,
    FileTooLarge,
    FilmTooSmall,
    ForProcessing,
    LimitExceeded,
    MultiFrameFilm,
    NestedTooDeep,
    NotAFrontalChestXray,
    NotAnImage,
    Rejected,
    RequestTooLarge,
    TooManyElements,
    TooManyFiles,
    TooManyPixels,
    TooManyScans,
    TooManySegments,
    TruncatedFilm,
    UnreadableFilm,
    UnsupportedFormat,
    UnsupportedTransferSyntax,
    WorkingMemoryExceeded,
    WrongIdentifiers,
)
from hilum.domain.errors.root import HilumError
from hilum.domain.errors.transient import (
    AttemptFailed,
    BrokerUnavailable,
    DatabaseUnavailable,
    Dependency,
    DependencyUnavailable,
    DestinationBusy,
    DestinationUnavailable,
    InferenceUnavailable,
    ObjectStoreUnavailable,
    OutOfMemory,
    SchemaIncompatible,
    Transient,
    WorkerLost,
)

__all__ = [
    "AttemptFailed",
    "BackupDamaged",
    "BackupStoreBusy",
    "BlankRendering",
    "BrokerUnavailable",
    "ColourFilm",
    "CompressionRatioTooHigh",
    "ContextMissing",
    "CpuTimeExceeded",
    "DatabaseCopyFailed",
    "DatabaseUnavailable",
    "DecoderCrashed",
    "Dependency",
    "DependencyUnavailable",
    "DestinationBusy",
    "DestinationRefuses",
    "DestinationUnavailable",
    "FileTooLarge",
    "FilmExpired",
    "FilmTooSmall",
    "ForProcessing",
    "HilumError",
    "InferenceFailed",
    "InferenceUnavailable",
    "InternalError",
    "InvalidManifest",
    "InvalidRequest",
    "LabelNotExperimental",
    "LabelNotSeparable",
    "LimitExceeded",
    "ModelNotServed",
    "MultiFrameFilm",
    "NestedTooDeep",
    "NoShippedPoint",
    "NotAFrontalChestXray",
    "NotAnImage",
    "NotAuthenticated",
    "NotFound",
    "NotPermitted",
    "NothingToRollBack",
    "ObjectMissing",
    "ObjectStoreUnavailable",
    "OperatingPointsMissing",
    "OutOfMemory",
    "Permanent",
    "Refused",
    "Rejected",
    "RequestTooLarge",
    "RestoreRefused",
    "ResultNotEncodable",
    "SchemaIncompatible",
    "TooFewFilms",
    "TooManyElements",
    "TooManyFiles",
    "TooManyPixels",
    "TooManyScans",
    "TooManySegments",
    "Transient",
    "TransitionNotAllowed",
    "TruncatedFilm",
    "UnreadableFilm",
    "UnsupportedFormat",
    "UnsupportedTransferSyntax",
    "UploadTooSlow",
    "WorkerLost",
    "WorkingMemoryExceeded",
    "WrongIdentifiers",
]

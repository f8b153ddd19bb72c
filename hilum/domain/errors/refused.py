"""A request that may not be done, or cannot be done in the present state."""

from __future__ import annotations

from hilum.domain.errors.root import HilumError


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


class UploadTooSlow(Refused):
    """The body of an upload comes slower than the least rate."""

    code = "upload_too_slow"


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


class LabelNotSeparable(Refused):
    """The model hardly ranks images with a label above images without it: no threshold helps."""

    code = "label_not_separable"


class LabelNotExperimental(Refused):
    """A site switches experimental labels on and off, and no others."""

    code = "label_not_experimental"


class NoShippedPoint(Refused):
    """The manifest ships no operating point for a label: there is nothing to take over."""

    code = "no_shipped_point"

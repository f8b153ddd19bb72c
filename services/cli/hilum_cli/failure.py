"""How a command ends when it could not do what it was asked: a sentence and an exit code."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

import click

from hilum.domain.errors import HilumError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

P = ParamSpec("P")
T = TypeVar("T")

FILM_FAILED: Final = 1
"""Some film was refused, rejected or parked, or some job could not be changed."""

USAGE: Final = 2
"""The command line is wrong (click's own code)."""

NO_GATEWAY: Final = 3
"""The gateway does not answer, or does not accept the key."""


class Failure(click.ClickException):
    """Ends the command; shown as one line on stderr."""

    def __init__(self, message: str, exit_code: int = FILM_FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it so


class GatewayUnreachable(Failure):
    """Nothing answers at the gateway's address, or not in time."""

    def __init__(self, url: str, cause: str) -> None:
        super().__init__(f"no gateway answers at {url}: {cause}", NO_GATEWAY)


class GatewayRefusal(Failure):
    """The gateway answered with a problem (RFC 9457).

    Attributes:
        status: HTTP status.
        code: Stable code of the problem, see :mod:`hilum.domain.errors`.
        detail: One sentence.
        retry_after: Seconds after which to ask again, where the gateway said so.
        films: What was said of each film of an upload, where all were refused.
        advice: What a person can do, where the gateway said so.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        retry_after: float | None = None,
        films: Sequence[Mapping[str, Any]] = (),
        advice: str | None = None,
    ) -> None:
        authorised = status not in {401, 403}
        super().__init__(f"{code}: {detail}", FILM_FAILED if authorised else NO_GATEWAY)
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
        self.films = films
        self.advice = advice


def readable(command: Callable[P, T]) -> Callable[P, T]:
    """Show an error of the core as its code and sentence instead of a trace."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except HilumError as error:
            raise Failure(f"{error.code}: {error.detail}") from error

    return run

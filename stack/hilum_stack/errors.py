"""What can go wrong while servers are run. None of these is about a film or a job."""

from __future__ import annotations


class StackError(Exception):
    """Root of this package's errors; its text is meant for a person at a terminal."""


class ServerMissing(StackError):
    """A server's program is not installed. The text says how to install it."""

    def __init__(self, server: str, looked_for: str) -> None:
        super().__init__(f"{server} is not installed ({looked_for}); run `make services`")


class ProcessFailed(StackError):
    """A child process ended, or was not ready in time; the text ends with its log's tail."""


class PortTaken(StackError):
    """The address that was asked for is in use by another program."""

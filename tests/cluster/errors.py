"""What can go wrong with the cluster itself; the texts are meant for a person at a terminal."""

from __future__ import annotations

from hilum_stack.errors import StackError


class ClusterError(StackError):
    """The cluster cannot be built, started or stopped."""


class CommandFailed(ClusterError):
    """A program ended with another status than 0; the text ends with what it said."""


class ProgramMissing(ClusterError):
    """A program of the operating system is not installed; the text names its Debian package."""

"""What the command is told by its environment; an option on the command line goes before each."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import SecretStr

from hilum.runtime.setting_groups import Api
from hilum.runtime.settings import Group, ProcessSettings

DEFAULT_URL: Final = "http://127.0.0.1:8080"


class Address(Group):
    """Of a part of the platform that some commands work on themselves.

    Attributes:
        url: As the other processes have it, or None.
    """

    url: SecretStr | None = None

    @property
    def plain(self) -> str | None:
        """Return the address with its password."""
        return self.url.get_secret_value() if self.url else None


class Repository(Group):
    """The models, for the commands about them.

    Attributes:
        repository: Folder that the workers use, or None.
    """

    repository: Path | None = None


class Contexts(Group):
    """What is kept of images whose results are still on their way, and how destinations are asked.

    Attributes:
        context_keys: As the worker has them. Nothing is kept without a key.
        tls_ca_file: As the worker has it.
        tls_certificate_file: As the worker has it.
        tls_key_file: As the worker has it.
    """

    context_keys: SecretStr | None = None
    tls_ca_file: Path | None = None
    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None

    @property
    def plain_keys(self) -> str | None:
        """Return the keys as text."""
        return None if self.context_keys is None else self.context_keys.get_secret_value()


class OwnInference(Group):
    """What runs the networks on images that a command analyses itself.

    Attributes:
        url: As the worker has it.
    """

    url: str = "onnx://"


class CliSettings(ProcessSettings):
    """Settings of the command."""

    api: Api
    database: Address
    object_store: Address
    backup_store: Address
    model: Repository
    inference: OwnInference
    delivery: Contexts

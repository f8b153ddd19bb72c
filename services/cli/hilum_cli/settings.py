"""What the command is told from outside: environment variables with the prefix ``HILUM_``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_URL: Final = "http://127.0.0.1:8080"


class CliSettings(BaseSettings):
    """Settings of the command; an option on the command line goes before each.

    Attributes:
        url: Of the gateway.
        api_key: As a client sends it.
        database_url: For the commands that work on the database itself.
        object_store_url: For the commands that work on the object store itself.
        backup_store_url: For the commands that work on backups.
        model_repository: For the commands about models: the folder that the workers use.
        inference_url: For films that a command reads itself.
    """

    model_config = SettingsConfigDict(env_prefix="HILUM_", frozen=True, extra="ignore")

    url: str = DEFAULT_URL
    api_key: SecretStr | None = None
    database_url: str | None = None
    object_store_url: SecretStr | None = None
    backup_store_url: SecretStr | None = None
    model_repository: Path | None = None
    inference_url: str = "onnx://"

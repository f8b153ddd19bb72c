"""How a process reads its settings from the environment, and what it says of their names."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic.fields import FieldInfo
    from pydantic_settings import PydanticBaseSettingsSource

PREFIX: Final = "HILUM_"


@dataclass(frozen=True, slots=True)
class Old:
    """Marks a setting with the name that it had before, without prefix; read for one release."""

    name: str


class Group(BaseModel):
    """Settings that belong together, each from ``HILUM_<GROUP>_<NAME>``."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class ProcessSettings(BaseSettings):
    """Settings of one process: a field a group, read in its ``main`` and never at import."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="_",
        env_nested_max_split=1,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the library's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - none is read
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - none is read
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment alone, with old names for new ones.

        An old name goes before the new one: an image may have a default under the new name, and
        the old one was set by somebody.
        """
        assert isinstance(env_settings, EnvSettingsSource)  # noqa: S101 - the library's default
        known = env_settings.env_vars
        renamed = {
            setting.name.lower(): known[setting.old.lower()]
            for setting in settings_of(cls)
            if setting.old is not None and setting.old.lower() in known
        }
        env_settings.env_vars = {**known, **renamed}
        return init_settings, env_settings

    @model_validator(mode="before")
    @classmethod
    def _begin_every_group(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Let a group of which nothing is set name what it lacks."""
        return {**{group: {} for group in cls.model_fields}, **given}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a process.

    Attributes:
        name: Of its variable.
        old: Name that the variable had before, or None.
        group: Class of its group.
        key: Name of its field in the group.
        field: The field.
    """

    name: str
    old: str | None
    group: type[Group]
    key: str
    field: FieldInfo


def settings_of(process: type[ProcessSettings]) -> Iterator[Setting]:
    """Return every setting of a process."""
    for group, outer in process.model_fields.items():
        kind = outer.annotation
        assert isinstance(kind, type)  # noqa: S101 - a field of a process is a group
        assert issubclass(kind, Group)  # noqa: S101 - likewise
        for key, field in kind.model_fields.items():
            old = next((each for each in field.metadata if isinstance(each, Old)), None)
            name = f"{PREFIX}{group}_{key}".upper()
            yield Setting(name, PREFIX + old.name if old else None, kind, key, field)


def problems_of(error: ValidationError) -> Iterator[str]:
    """Return a line for each wrong setting: its name and what is wrong, never its value."""
    for problem in error.errors(include_input=False, include_url=False):
        name = "_".join(str(part) for part in problem["loc"]).upper()
        yield f"{PREFIX}{name}: {problem['msg']}"


def misnamed(
    process: type[ProcessSettings], known: set[str], environment: Mapping[str, str]
) -> Iterator[str]:
    """Return a sentence for each old and each unknown name in the environment.

    Args:
        process: Whose old names are told.
        known: Names that some part of Hilum reads.
        environment: Variables of the process.
    """
    old = {setting.old: setting.name for setting in settings_of(process) if setting.old}
    for name in sorted(environment):
        if name in old:
            yield f"{name} is now called {old[name]}; the old name works for one release"
        elif name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            yield f"{name} is no setting" + (f"; did you mean {near[0]}?" if near else "")

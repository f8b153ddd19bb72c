"""Where the API key comes from, and how one is written down."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hilum_cli.failure import NO_GATEWAY, Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hilum_cli.settings import CliSettings

DEFAULT_FILE: Final = Path(".hilum") / "api-key"


def find_key(key_file: Path | None, settings: CliSettings) -> str:
    """The key: of ``--api-key-file``, else of ``HILUM_API_KEY``, else of ``.hilum/api-key``.

    Raises:
        Failure: There is none, or the file cannot be read.
    """
    if key_file is None and settings.api.key is not None:
        return settings.api.key.get_secret_value()
    path = key_file or DEFAULT_FILE
    try:
        text = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        if key_file is None:
            raise Failure(
                f"no API key: pass --api-key-file, set HILUM_API_KEY or put one into {path}",
                NO_GATEWAY,
            ) from None
        raise Failure(f"no API key: {path} does not exist", NO_GATEWAY) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"the API key cannot be read from {path}: {error}", NO_GATEWAY) from error
    if not text.isascii() or not text:
        raise Failure(f"{path} holds no API key", NO_GATEWAY)
    return text


@contextmanager
def writable_key_file(path: Path) -> Iterator[Callable[[str], None]]:
    """A function that puts a key into a file of mode 0600, whole or not at all.

    The file is opened before the key is made, so that a folder that cannot be written to costs no
    key. Where the function is not called, nothing is left behind.

    Raises:
        Failure: The file cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp makes files of mode 0600.
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}") from error
    draft = Path(name)

    def write(key: str) -> None:
        os.write(descriptor, f"{key}\n".encode())
        os.fsync(descriptor)
        draft.replace(path)

    try:
        yield write
    finally:
        os.close(descriptor)
        draft.unlink(missing_ok=True)

"""Which object store an address means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from hilum.adapters.object_store.filesystem import FilesystemObjectStore

if TYPE_CHECKING:
    from hilum.adapters.object_store.s3 import S3ObjectStore
    from hilum.application.ports.object_store import ObjectStore

_OPTIONS = frozenset({"secure", "region"})


def open_object_store(url: str, *, create: bool = False) -> ObjectStore:
    """Open the object store at an address.

    Args:
        url: ``file:///absolute/folder``, or
            ``s3://ACCESS:SECRET@host:port/bucket?secure=false&region=us-east-1`` with
            percent-encoded credentials; ``secure`` is true and ``region`` us-east-1 by default.
        create: Whether to make a bucket that does not exist, which needs the server and the
            right to. A folder is always made.

    Raises:
        ValueError: The address is neither. The text does not repeat it: it may hold a secret.
        ObjectStoreUnavailable: The folder or the bucket cannot be made.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        folder = Path(unquote(parts.path))
        if parts.netloc or not parts.path or folder == Path("/"):
            raise ValueError("the store's address is file:// and the absolute path of a folder")
        return FilesystemObjectStore(folder)
    if parts.scheme == "s3":
        store = _s3(parts)
        if create:
            store.ensure_bucket()
        return store
    raise ValueError("the store's address begins neither with file:// nor with s3://")


def _s3(parts: SplitResult) -> S3ObjectStore:
    # A process that keeps its objects in a folder needs no S3 client installed.
    from hilum.adapters.object_store.s3 import S3ObjectStore  # noqa: PLC0415

    endpoint = parts.netloc.rpartition("@")[2]
    bucket = parts.path.strip("/")
    options = parse_qs(parts.query)
    secure = options.get("secure", ["true"])[-1].lower()
    if (
        not (parts.username and parts.password and endpoint and bucket)
        or "/" in bucket
        or secure not in {"true", "false"}
        or not _OPTIONS.issuperset(options)
    ):
        raise ValueError(
            "the store's address is s3://ACCESS:SECRET@host:port/bucket?secure=true&region=NAME"
        )
    return S3ObjectStore(
        endpoint,
        access_key=unquote(parts.username),
        secret_key=unquote(parts.password),
        bucket=bucket,
        secure=secure == "true",
        region=options.get("region", ["us-east-1"])[-1],
    )

"""A model repository in a bucket of any S3 endpoint."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import parse_qs, unquote, urlsplit

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from hilum.domain.errors import InvalidManifest, ObjectStoreUnavailable
from hilum.domain.model import ModelManifest
from hilum.serving.installed import CARD, MANIFEST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OPTIONS: Final = frozenset({"secure", "region"})
_DESCRIPTION: Final = re.compile(
    rf"[A-Za-z0-9_-][A-Za-z0-9._-]*/(?:[0-9]+/)?(?:{re.escape(MANIFEST)}|{re.escape(CARD)})"
)
_LARGEST_DESCRIPTION: Final = 16 * 1024 * 1024
_CONNECT_S: Final = 5.0
_SILENCE_S: Final = 30.0
_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class ModelBucket:
    """Where a repository lies: ``<prefix>/<model>/manifest.json`` and what the manifests name."""

    client: Minio
    bucket: str
    prefix: str

    @classmethod
    def open(cls, url: str) -> Self:
        """Describe a bucket; connects to nothing.

        Args:
            url: ``s3://ACCESS:SECRET@host:port/bucket/prefix?secure=true&region=us-east-1`` with
                percent-encoded credentials. TLS is checked against the system's authorities, or
                those in the file that ``SSL_CERT_FILE`` names.

        Raises:
            ValueError: It is no such address. The text does not repeat it: it may hold a secret.
        """
        parts = urlsplit(url)
        options = parse_qs(parts.query)
        secure = options.get("secure", ["true"])[-1].lower()
        bucket, _, prefix = unquote(parts.path).strip("/").partition("/")
        if (
            not (parts.username and parts.password and parts.hostname and bucket)
            or secure not in {"true", "false"}
            or not _OPTIONS.issuperset(options)
        ):
            raise ValueError("the source is s3://ACCESS:SECRET@host:port/bucket/prefix?secure=true")
        client = Minio(
            parts.netloc.rpartition("@")[2],
            access_key=unquote(parts.username),
            secret_key=unquote(parts.password),
            secure=secure == "true",
            region=options.get("region", ["us-east-1"])[-1],
            http_client=urllib3.PoolManager(
                timeout=urllib3.Timeout(connect=_CONNECT_S, read=_SILENCE_S),
                cert_reqs="CERT_REQUIRED",
                retries=urllib3.Retry(
                    total=_ATTEMPTS, backoff_factor=0.2, status_forcelist=(500, 502, 503, 504)
                ),
            ),
        )
        return cls(client, bucket, f"{prefix}/" if prefix else "")

    def fetch(self, folder: Path) -> None:
        """Write manifests, cards and the artefacts that manifests name; nothing else is read.

        Digests are left to whoever reads the folder.

        Raises:
            InvalidManifest: There is no manifest, or one cannot be read, or names a file that is
                not there, has another size, or lies outside its model's folder.
            ObjectStoreUnavailable: The bucket cannot be read.
        """
        sizes = self._listed()
        if not any(name.endswith(f"/{MANIFEST}") for name in sizes):
            raise InvalidManifest(f"the bucket {self.bucket} holds no model at /{self.prefix}")
        for name in sorted(filter(_DESCRIPTION.fullmatch, sizes)):
            self._fetch(name, folder, sizes, _LARGEST_DESCRIPTION)
        for path in sorted(folder.rglob(MANIFEST)):
            manifest = ModelManifest.from_json(path.read_text(encoding="utf-8"))
            model = path.relative_to(folder).parts[0]
            for artefact in manifest.artefacts:
                place = PurePosixPath(artefact.path)
                if place.is_absolute() or ".." in place.parts:
                    raise InvalidManifest(f"{model}: {artefact.path} lies outside the model")
                name = f"{model}/{place}"
                if sizes.get(name) != artefact.size_bytes:
                    raise InvalidManifest(
                        f"{model}: {artefact.path} is not the one that was published: "
                        f"{sizes.get(name, 'no')} bytes, not {artefact.size_bytes}"
                    )
                self._fetch(name, folder, sizes, artefact.size_bytes)

    def _listed(self) -> dict[str, int]:
        """Names below the prefix with their sizes in bytes."""
        with self._translated():
            found = self.client.list_objects(self.bucket, self.prefix, recursive=True)
            return {
                item.object_name.removeprefix(self.prefix): item.size or 0
                for item in found
                if item.object_name is not None
            }

    def _fetch(self, name: str, folder: Path, sizes: dict[str, int], limit: int) -> None:
        if sizes[name] > limit:
            raise InvalidManifest(f"{name} has {sizes[name]} bytes, more than {limit}")
        target = folder / name
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        with self._translated():
            self.client.fget_object(self.bucket, self.prefix + name, str(target))

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn the client's errors into the project's; texts name codes, never credentials."""
        try:
            yield
        except S3Error as error:
            raise ObjectStoreUnavailable(
                f"the object store refuses the bucket {self.bucket}: {error.code}"
            ) from error
        except (MinioException, urllib3.exceptions.HTTPError) as error:
            raise ObjectStoreUnavailable(
                f"the object store does not answer: {type(error).__name__}"
            ) from error

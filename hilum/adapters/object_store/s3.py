"""Objects in a bucket of any S3 endpoint, through the ``minio`` client."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, BinaryIO, Final, cast

import urllib3
from minio import Minio
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError

from hilum.adapters.object_store.keys import is_valid_key, require_valid_key
from hilum.adapters.object_store.parts import ChunkReader, ChunksFailed
from hilum.application.ports.object_store import StoredObject
from hilum.domain.errors import ObjectMissing, ObjectStoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from urllib3.response import BaseHTTPResponse

PART_BYTES: Final = 5 * 1024 * 1024
"""Smallest part that S3 takes, so the most of one upload that is ever held in memory."""

_CHUNK_BYTES: Final = 256 * 1024
_NO_KEY: Final = frozenset({"NoSuchKey", "NoSuchObject"})


class S3ObjectStore:
    """One bucket; safe to share between threads, not to carry connected through a fork.

    Nothing is connected before the first call. An upload of up to :data:`PART_BYTES`, and almost
    every film is one, is a single request with a known length; a longer one is a multipart
    upload, aborted if anything fails. An endpoint that dies meanwhile leaves an invisible part
    behind: give the bucket a rule that removes incomplete multipart uploads (MinIO has one).
    The credentials need to list the bucket as well as to read and write it: without that right
    S3 answers a missing key with AccessDenied, and a missing object looks like an outage.

    Over plain HTTP the client signs the SHA-256 of every part, which costs 0.7 ms per megabyte and
    has the server refuse what the network changed: kept.
    """

    def __init__(  # noqa: PLR0913 - a connection has this many parts; keyword-only, so readable
        self,
        endpoint: str,
        *,
        access_key: str,
        secret_key: str,
        bucket: str,
        secure: bool = True,
        region: str = "us-east-1",
        connect_timeout_s: float = 3.0,
        read_timeout_s: float = 5.0,
        connections: int = 32,
    ) -> None:
        """Describe a bucket.

        Args:
            endpoint: ``host:port``.
            access_key: Who asks.
            secret_key: Its secret.
            bucket: Name of the bucket.
            secure: TLS, checked against the system's certificate authorities.
            region: Given, so that the client never asks the server for it.
            connect_timeout_s: How long a connection may take, seconds.
            read_timeout_s: How long the server may be silent, seconds.
            connections: Kept open; as many as threads use the store at once.
        """
        self._bucket = bucket
        pool = urllib3.PoolManager(
            maxsize=connections,
            timeout=urllib3.Timeout(connect=connect_timeout_s, read=read_timeout_s),
            cert_reqs="CERT_REQUIRED",
            # One more try, for a connection that died in the pool and a server that is starting.
            # Whoever asked has a person or a job waiting, and a way to come back later.
            retries=urllib3.Retry(
                total=2,
                connect=1,
                read=1,
                status=1,
                redirect=0,
                backoff_factor=0.1,
                status_forcelist=(500, 502, 503, 504),
                raise_on_status=False,
            ),
        )
        self._client = Minio(
            endpoint,
            access_key=access_key,
            secret_key=secret_key,
            secure=secure,
            region=region,
            http_client=pool,
        )

    def put(self, key: str, chunks: Iterable[bytes], *, media_type: str) -> int:
        """Store an object; see the port."""
        require_valid_key(key)
        reader = ChunkReader(chunks)
        try:
            with self._translated():
                self._client.put_object(
                    self._bucket,
                    key,
                    cast("BinaryIO", reader),
                    length=-1,
                    content_type=media_type,
                    part_size=PART_BYTES,
                    # In turn: threads of its own for every upload would cost more than they give.
                    num_parallel_uploads=1,
                )
        except (ChunksFailed, ObjectStoreUnavailable):
            if reader.failure is not None:
                # Also where the endpoint failed afterwards, while the upload was being aborted.
                raise reader.failure from None
            raise
        return reader.size

    def get(self, key: str) -> bytes:
        """The whole object; see the port."""
        with self._translated(), self._opened(key) as response:
            return response.read()

    def stream(self, key: str) -> Iterator[bytes]:
        """The object in chunks; see the port."""
        with self._translated(), contextlib.ExitStack() as opened:
            response = opened.enter_context(self._opened(key))
            return self._chunks(response, opened.pop_all())

    def delete(self, key: str) -> None:
        """Remove an object; see the port."""
        with self._translated():
            self._client.remove_object(self._bucket, require_valid_key(key))

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """Every object whose key begins with a prefix, in order; see the port.

        S3 lists a general purpose bucket in the order of the keys' UTF-8 bytes (API reference,
        ListObjectsV2), a thousand a request.
        """
        with self._translated():
            for found in self._client.list_objects(self._bucket, prefix=prefix, recursive=True):
                name, stored_at = found.object_name, found.last_modified
                if name is not None and stored_at is not None and is_valid_key(name):
                    yield StoredObject(name, found.size or 0, stored_at)

    def check(self) -> None:
        """Ask for the bucket's head: one small request."""
        with self._translated():
            exists = self._client.bucket_exists(self._bucket)
        if not exists:
            raise ObjectStoreUnavailable(f"the bucket {self._bucket} does not exist")

    def ensure_bucket(self) -> None:
        """Make the bucket if it does not exist; needs the right to.

        Raises:
            ObjectStoreUnavailable: The endpoint does not answer, or refuses.
        """
        with self._translated():
            if self._client.bucket_exists(self._bucket):
                return
            try:
                self._client.make_bucket(self._bucket)
            except S3Error as error:
                if error.code != "BucketAlreadyOwnedByYou":  # by a process that started with us
                    raise

    @contextlib.contextmanager
    def _opened(self, key: str) -> Iterator[BaseHTTPResponse]:
        response = self._client.get_object(self._bucket, require_valid_key(key))
        try:
            yield response
        except BaseException:
            response.close()  # what is left unread would be taken for the next answer
            raise
        finally:
            response.release_conn()

    def _chunks(self, response: BaseHTTPResponse, opened: contextlib.ExitStack) -> Iterator[bytes]:
        with self._translated(), opened:
            yield from response.stream(_CHUNK_BYTES)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn the client's errors into the project's; texts name codes, never credentials."""
        try:
            yield
        except S3Error as error:
            if error.code in _NO_KEY:
                raise ObjectMissing(f"the store holds no object {error.object_name}") from error
            raise ObjectStoreUnavailable(
                f"the object store refuses the bucket {self._bucket}: {error.code}"
            ) from error
        except (InvalidResponseError, ServerError) as error:
            raise ObjectStoreUnavailable("the object store answers with a server error") from error
        except (urllib3.exceptions.HTTPError, MinioException, OSError) as error:
            raise ObjectStoreUnavailable(
                f"the object store does not answer: {type(error).__name__}"
            ) from error

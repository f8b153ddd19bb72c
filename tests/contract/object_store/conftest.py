"""Every object store: in memory, in a folder, in a bucket of a real MinIO."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from hilum.adapters.object_store.object_store import open_object_store
from tests.fakes.object_store import InMemoryObjectStore

if TYPE_CHECKING:
    from pathlib import Path

    from hilum.application.ports.object_store import ObjectStore


@pytest.fixture(scope="module")
def bucket() -> str:
    """A bucket for this module."""
    return f"contract-{uuid.uuid4().hex}"


@pytest.fixture(params=["memory", "folder", pytest.param("s3", marks=pytest.mark.real)])
def store(request: pytest.FixtureRequest, tmp_path: Path, bucket: str) -> ObjectStore:
    """A store, of each kind."""
    if request.param == "memory":
        return InMemoryObjectStore()
    if request.param == "folder":
        return open_object_store(f"file://{tmp_path / 'objects'}")
    minio = request.getfixturevalue("minio_server")
    return open_object_store(minio.bucket_url(bucket), create=True)


@pytest.fixture
def key() -> str:
    """A key that no other test has."""
    return f"originals/{uuid.uuid4().hex}/film.dcm"

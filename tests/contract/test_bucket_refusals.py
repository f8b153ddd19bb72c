"""What a real MinIO refuses, told so that an operator can mend it and nobody learns a secret."""

from __future__ import annotations

import uuid

import pytest

from hilum.adapters.object_store.object_store import open_object_store
from hilum.domain.errors import ObjectStoreUnavailable

MEDIA_TYPE = "application/dicom"

pytestmark = pytest.mark.real


@pytest.fixture
def bucket() -> str:
    """A bucket of this test's own."""
    return f"refusals-{uuid.uuid4().hex}"


def test_a_bucket_that_does_not_exist_is_named(minio_server):
    """An operator reads which bucket is missing; it is made when that is asked for."""
    name = f"absent-{uuid.uuid4().hex}"
    url = minio_server.bucket_url(name)
    store = open_object_store(url)
    with pytest.raises(ObjectStoreUnavailable, match=name):
        store.check()
    with pytest.raises(ObjectStoreUnavailable, match=name):
        store.put("film", [b"x"], media_type=MEDIA_TYPE)
    open_object_store(url, create=True)
    open_object_store(url, create=True)
    store.check()


def test_a_wrong_secret_is_told_without_the_secret(minio_server, bucket):
    """A refused signature is reported by its code; the credentials stay out of the text."""
    open_object_store(minio_server.bucket_url(bucket), create=True)
    url = minio_server.bucket_url(bucket).replace(minio_server.secret_key, "not-the-secret")
    store = open_object_store(url)
    with pytest.raises(ObjectStoreUnavailable, match="SignatureDoesNotMatch") as refused:
        store.put("film", [b"x"], media_type=MEDIA_TYPE)
    assert "not-the-secret" not in refused.value.detail
    assert minio_server.access_key not in refused.value.detail
    with pytest.raises(ObjectStoreUnavailable):
        store.check()

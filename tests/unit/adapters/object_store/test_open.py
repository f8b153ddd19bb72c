"""Addresses of object stores."""

from __future__ import annotations

import pytest

from hilum.adapters.object_store.filesystem import FilesystemObjectStore
from hilum.adapters.object_store.object_store import open_object_store


def test_opens_a_folder(tmp_path):
    """A path may hold percent-encoded characters."""
    store = open_object_store(f"file://{tmp_path}/a%20folder")
    assert isinstance(store, FilesystemObjectStore)
    store.put("film", [b"x"], media_type="image/png")
    assert (tmp_path / "a folder" / "film").read_bytes() == b"x"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/srv/films",
        "file://",
        "file:///",
        "file://server/folder",
        "ftp://KEY:hush-hush@host/bucket",
        "s3://host:9000/bucket",
        "s3://KEY@host:9000/bucket",
        "s3://KEY:hush-hush@host:9000",
        "s3://KEY:hush-hush@host:9000/",
        "s3://KEY:hush-hush@/bucket",
        "s3://KEY:hush-hush@host:9000/bucket/folder",
        "s3://KEY:hush-hush@host:9000/bucket?secure=perhaps",
        "s3://KEY:hush-hush@host:9000/bucket?secur=false",
    ],
)
def test_refuses_other_addresses_without_repeating_them(url):
    """What is wrong is told; a secret inside the address is not."""
    with pytest.raises(ValueError, match="address") as refused:
        open_object_store(url)
    assert "hush" not in str(refused.value)

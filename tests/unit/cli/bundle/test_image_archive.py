"""Archives are read, and damage in them is found."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from hilum_cli.bundle.image_archive import read_archive
from hilum_cli.failure import Failure
from tests.oci_images import write_oci_archive


def rewritten(path, change):
    """The archive with every file as ``change(name, content)`` gives it; None leaves it out."""
    with tarfile.open(path) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive}
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            changed = change(name, content)
            if changed is not None:
                member = tarfile.TarInfo(name)
                member.size = len(changed)
                archive.addfile(member, io.BytesIO(changed))


def test_an_archive_tells_name_and_digest(tmp_path):
    """The digest is that of the image's manifest."""
    digest = write_oci_archive(tmp_path / "a.tar", "docker.io/hilum/cli:1", b"content")
    archive = read_archive(tmp_path / "a.tar")
    assert (archive.names, archive.digest) == (("docker.io/hilum/cli:1",), digest)


def test_an_archive_without_a_name_is_read(tmp_path):
    """Whoever needs the name says so."""
    write_oci_archive(tmp_path / "a.tar", None, b"content")
    assert read_archive(tmp_path / "a.tar").names == ()


def test_a_changed_blob_is_found(tmp_path):
    """Each is held against its digest."""
    path = tmp_path / "a.tar"
    write_oci_archive(path, "a:1", b"content")
    rewritten(path, lambda name, data: data[:-1] + b"?" if name.startswith("blobs/") else data)
    with pytest.raises(Failure, match="damaged"):
        read_archive(path)


def test_a_missing_manifest_is_found(tmp_path):
    """The index alone is no image."""
    path = tmp_path / "a.tar"
    digest = write_oci_archive(path, "a:1", b"content")
    rewritten(path, lambda name, data: None if name.endswith(digest[7:]) else data)
    with pytest.raises(Failure, match="lacks the manifest"):
        read_archive(path)


def test_several_images_in_one_archive_are_refused(tmp_path):
    """Nobody knows which of them is meant."""
    path = tmp_path / "a.tar"
    write_oci_archive(path, "a:1", b"content")

    def doubled(name, data):
        if name != "index.json":
            return data
        (entry,) = json.loads(data)["manifests"]
        other = {**entry, "digest": "sha256:" + "0" * 64}
        return json.dumps({"manifests": [entry, other]}).encode()

    rewritten(path, doubled)
    with pytest.raises(Failure, match="2 images"):
        read_archive(path)


@pytest.mark.parametrize("content", [b"", b"no tar", b"\0" * 10240])
def test_what_is_no_archive_is_told(tmp_path, content):
    """By its name."""
    path = tmp_path / "no-archive.tar"
    path.write_bytes(content)
    with pytest.raises(Failure, match=r"no-archive\.tar"):
        read_archive(path)

"""Models that lie in a bucket, installed as an init container does it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from minio import Minio

from hilum.serving.golden import GOLDEN
from hilum_engine.main import main
from tests.small_networks import small_repository

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.real

PREFIX = "releases/0.2.0"


@pytest.fixture
def client(minio_server):
    return Minio(
        minio_server.endpoint,
        access_key=minio_server.access_key,
        secret_key=minio_server.secret_key,
        secure=False,
    )


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    small_repository(folder / "models", folder)
    return folder / "models"


@pytest.fixture
def bucket(client, models, request):
    """A bucket of the test's own, with a repository under a prefix and other things beside it."""
    name = f"models-{abs(hash(request.node.name))}"
    client.make_bucket(name)
    for path in sorted(models.rglob("*")):
        if path.is_file():
            client.fput_object(name, f"{PREFIX}/{path.relative_to(models)}", str(path))
    client.fput_object(name, f"{PREFIX}/gate/1/a-note", str(models / "gate/labels.txt"))
    client.fput_object(name, "manifest.json", str(models / "gate/labels.txt"))
    return name


def install(minio_server, bucket, out, prefix=PREFIX):
    address = minio_server.bucket_url(f"{bucket}/{prefix}")
    return main(["install", "--source", address, "--target", "cpu", "--out", str(out)])


def files(folder, without=""):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != without
    }


def test_what_training_published_is_installed(minio_server, bucket, models, tmp_path):
    """File for file, whatever else the bucket holds; nothing of the fetching is left."""
    assert install(minio_server, bucket, tmp_path / "out") == 0
    assert files(tmp_path / "out", GOLDEN) == files(models)


def test_a_file_that_was_changed_is_refused(minio_server, bucket, client, models, tmp_path, capsys):
    """By its digest, and what was installed before stays."""
    assert install(minio_server, bucket, tmp_path / "out") == 0
    before = files(tmp_path / "out")
    graph = (models / "gate/1/model.onnx").read_bytes()
    (tmp_path / "graph").write_bytes(graph[:-1] + bytes([graph[-1] ^ 1]))
    client.fput_object(bucket, f"{PREFIX}/gate/1/model.onnx", str(tmp_path / "graph"))
    capsys.readouterr()
    assert install(minio_server, bucket, tmp_path / "out") == 2
    assert capsys.readouterr().err == (
        "invalid_manifest: gate: 1/model.onnx is not the one that was published\n"
    )
    assert files(tmp_path / "out") == before


def test_a_file_of_another_size_is_not_fetched(minio_server, bucket, client, tmp_path, capsys):
    """Nor is one that is missing waited for."""
    (tmp_path / "long").write_bytes(bytes(1000))
    client.fput_object(bucket, f"{PREFIX}/chest/1/model.py", str(tmp_path / "long"))
    assert install(minio_server, bucket, tmp_path / "out") == 2
    assert "chest: 1/model.py is not the one that was published: 1000" in capsys.readouterr().err
    client.remove_object(bucket, f"{PREFIX}/chest/1/model.py")
    assert install(minio_server, bucket, tmp_path / "out") == 2
    assert "chest: 1/model.py is not the one that was published: no" in capsys.readouterr().err


@pytest.mark.parametrize("path", ["../../outside", "/etc/outside"])
def test_a_manifest_writes_nowhere_else(
    minio_server, bucket, client, models, tmp_path, capsys, path
):
    """Not beside the folder that it was fetched into."""
    document = json.loads((models / "lungs/manifest.json").read_text())
    document["artefacts"].append({"path": path, "sha256": "0" * 64, "size_bytes": 1})
    (tmp_path / "manifest").write_text(json.dumps(document))
    client.fput_object(bucket, f"{PREFIX}/lungs/manifest.json", str(tmp_path / "manifest"))
    assert install(minio_server, bucket, tmp_path / "out") == 2
    assert f"invalid_manifest: lungs: {path} lies outside" in capsys.readouterr().err


def test_an_empty_place_is_no_repository(minio_server, bucket, tmp_path, capsys):
    """A prefix with a typing error, say."""
    assert install(minio_server, bucket, tmp_path / "out", "releases/0.3.0") == 2
    assert "holds no model" in capsys.readouterr().err


def test_a_bucket_that_cannot_be_read_is_told_by_its_code(minio_server, tmp_path, capsys):
    """There is none of that name."""
    assert install(minio_server, "no-such-bucket", tmp_path / "out") == 2
    assert capsys.readouterr().err == (
        "object_store_unavailable: the object store refuses the bucket no-such-bucket: "
        "NoSuchBucket\n"
    )

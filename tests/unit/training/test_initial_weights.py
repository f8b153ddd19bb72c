"""Initial weights: read without running what the file says, and put where they belong."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace

import numpy as np
import pytest

from hilum_training.initial_weights import InvalidWeights, read_archive
from tests.unit.training.tiny_recipe import TINY

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def archive(path, table_bytes: bytes, values: np.ndarray) -> None:
    """An archive of the early form with one storage."""
    with path.open("wb") as stream:
        for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
            pickle.dump(part, stream, protocol=2)
        stream.write(table_bytes)
        pickle.dump(["7"], stream, protocol=2)
        stream.write(np.int64(values.size).tobytes() + values.astype("<f4").tobytes())


def table(offset=0, shape=(2, 3), strides=(3, 1)) -> bytes:
    """A pickled table of one tensor, written by hand: no PyTorch is needed."""
    shape_code = b"(" + b"".join(b"K" + bytes([n]) for n in shape) + b"t"
    stride_code = b"(" + b"".join(b"K" + bytes([n]) for n in strides) + b"t"
    storage = (
        b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x007"
        b"X\x03\x00\x00\x00cpuK\x06NtQ"
    )
    tensor = (
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        + storage
        + b"K"
        + bytes([offset])
        + shape_code
        + stride_code
        + b"\x89NtR"
    )
    return b"\x80\x02ccollections\nOrderedDict\n)R(X\x01\x00\x00\x00w" + tensor + b"u."


def test_a_tensor_is_read_with_its_strides(tmp_path):
    """Rows and columns come back as the strides say, also transposed."""
    values = np.arange(6, dtype=np.float32)
    archive(tmp_path / "w.pth", table(), values)
    assert read_archive(tmp_path / "w.pth")["w"].tolist() == [[0, 1, 2], [3, 4, 5]]
    archive(tmp_path / "t.pth", table(shape=(3, 2), strides=(1, 3)), values)
    assert read_archive(tmp_path / "t.pth")["w"].tolist() == [[0, 3], [1, 4], [2, 5]]


def test_a_tensor_beyond_its_storage_is_refused(tmp_path):
    """Strides of a damaged file never read memory that is not the file's."""
    archive(tmp_path / "w.pth", table(offset=4), np.arange(6))
    with pytest.raises(InvalidWeights, match="beyond"):
        read_archive(tmp_path / "w.pth")


def test_a_file_that_would_run_code_is_refused(tmp_path):
    """A pickle that names any other function is not executed."""
    marker = tmp_path / "ran"
    command = f"touch {marker}".encode()
    evil = b"\x80\x02cos\nsystem\n(X" + len(command).to_bytes(4, "little") + command + b"tR."
    archive(tmp_path / "w.pth", evil, np.arange(6))
    with pytest.raises(InvalidWeights, match="no place"):
        read_archive(tmp_path / "w.pth")
    assert not marker.exists()


@pytest.mark.parametrize("keep", [3, 40, 200])
def test_a_file_cut_short_is_refused(tmp_path, keep):
    """Wherever it ends too early, the error says that it cannot be read."""
    archive(tmp_path / "w.pth", table(), np.arange(6))
    content = (tmp_path / "w.pth").read_bytes()
    (tmp_path / "w.pth").write_bytes(content[:keep])
    with pytest.raises(InvalidWeights):
        read_archive(tmp_path / "w.pth")


def test_imagenet_weights_fill_the_trunk():
    """Every layer of the trunk has the published weights; the grey stem is the sum over RGB."""
    pytest.importorskip("tensorflow", reason="needs the training environment: make test-training")
    from hilum_training.initial_weights import _packaged  # noqa: PLC0415
    from hilum_training.network import build_network  # noqa: PLC0415

    plan = replace(TINY.network, architecture="efficientnet-lite0", initial="imagenet")
    network = build_network(replace(TINY, network=plan))
    published = read_archive(_packaged())
    stem = network.get_layer("stem_conv").get_weights()[0]
    summed = published["_conv_stem.weight"].sum(axis=1)
    assert np.allclose(stem[:, :, 0, :], summed.transpose(1, 2, 0))
    kernel = network.get_layer("block5_depthwise").get_weights()[0]
    theirs = published["_blocks.5._depthwise_conv.weight"]
    assert np.allclose(kernel[:, :, :, 0], theirs[:, 0].transpose(1, 2, 0))
    norm = network.get_layer("head_norm").get_weights()
    assert np.allclose(norm[3], published["_bn1.running_var"])


def test_a_local_weights_file_is_taken_and_a_missing_one_is_named(tmp_path):
    """A user's own .keras file fills layers of the same name; a wrong path says so."""
    pytest.importorskip("tensorflow", reason="needs the training environment: make test-training")
    from hilum_training.network import build_network  # noqa: PLC0415

    network = build_network(TINY)
    network.save(tmp_path / "mine.keras")
    plan = replace(TINY.network, initial=str(tmp_path / "mine.keras"))
    filled = build_network(replace(TINY, network=plan))
    for mine, theirs in zip(network.get_weights(), filled.get_weights(), strict=True):
        assert np.array_equal(mine, theirs)
    with pytest.raises(InvalidWeights, match="no weights"):
        build_network(replace(TINY, network=replace(plan, initial="nowhere.keras")))

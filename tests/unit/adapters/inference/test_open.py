"""Addresses of inference engines."""

from __future__ import annotations

import sys

import pytest

from hilum.adapters.inference.inference import open_inference
from hilum.adapters.inference.onnx_runtime import OnnxRuntimeEngine
from hilum.adapters.inference.triton_grpc import TritonEngine


@pytest.mark.parametrize("url", ["onnx://", "onnx://?threads=2"])
def test_opens_onnx_runtime(url, tmp_path):
    """In process, with a number of threads."""
    assert isinstance(open_inference(url, tmp_path), OnnxRuntimeEngine)


@pytest.mark.parametrize(
    "url", ["triton://localhost:8001", "triton://triton:8001?secure=true&deadline=2.5"]
)
def test_opens_triton(url, tmp_path):
    """By host and port; nothing is connected yet."""
    assert isinstance(open_inference(url, tmp_path), TritonEngine)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "onnx://host",
        "onnx://?thread=1",
        "onnx://?threads=many",
        "triton://",
        "triton://host",
        "triton://host:8001?tls=true",
        "triton://host:8001?deadline=soon",
        "http://host:8000",
    ],
)
def test_refuses_other_addresses(url, tmp_path):
    """A wrong address fails when the process starts, not at the first film."""
    with pytest.raises(ValueError):  # noqa: PT011 - the texts differ and are for people
        open_inference(url, tmp_path)


def test_an_engine_that_is_not_installed_is_named(monkeypatch, tmp_path):
    """An image without ONNX Runtime says that it lacks it, when it is asked for it."""
    monkeypatch.delitem(sys.modules, "hilum.adapters.inference.onnx_runtime", raising=False)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ValueError, match="onnx:// needs onnxruntime, which is not installed here"):
        open_inference("onnx://", tmp_path)

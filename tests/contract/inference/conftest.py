"""Every inference engine: a fake, ONNX Runtime in process, and a real Triton."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hilum.adapters.inference.inference import open_inference
from hilum.adapters.model_catalogue.model_catalogue import FilesystemModelCatalogue
from hilum_stack.triton import TritonServer
from tests.fakes.inference import BandEngine
from tests.grey_networks import write_grey_repository
from tests.servers import run_folder, started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hilum.application.ports.inference import InferenceEngine
    from hilum.domain.model import ModelManifest, ModelSet


@pytest.fixture(scope="module")
def repository() -> Iterator[Path]:
    """Gate, chest and lungs of the tests' own, with their ensemble."""
    with run_folder() as folder:
        yield write_grey_repository(folder / "models")


@pytest.fixture(scope="module")
def models(repository: Path) -> ModelSet:
    """What lies in it."""
    return FilesystemModelCatalogue(repository, verify_artefacts=True).current()


@pytest.fixture(scope="module")
def triton(repository: Path) -> Iterator[TritonServer]:
    """A real Triton that serves it."""
    with started(TritonServer, repository) as server:
        yield server


@pytest.fixture(params=["gate", "chest", "lungs"])
def model(request: pytest.FixtureRequest, models: ModelSet) -> ModelManifest:
    """Each model."""
    return next(model for model in models.models if model.name == request.param)


@pytest.fixture(params=["fake", "onnx", pytest.param("triton", marks=pytest.mark.real)])
def engine(request: pytest.FixtureRequest, repository: Path, models: ModelSet) -> InferenceEngine:
    """An engine, of each kind, that serves them."""
    if request.param == "fake":
        return BandEngine(models.models)
    if request.param == "onnx":
        return open_inference("onnx://", repository)
    return open_inference(request.getfixturevalue("triton").url, repository)

"""The shipped models in a real Triton: one request for a film, and the answers of ONNX Runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from hilum.adapters.inference.inference import open_inference
from hilum.adapters.model_catalogue.model_catalogue import FilesystemModelCatalogue
from hilum.imaging.phantom import phantom_film
from hilum.imaging.preprocessing import PREPROCESSING
from tests.servers import MODEL_REPOSITORY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hilum.domain.model import ModelManifest
    from hilum_stack.triton import TritonServer

pytestmark = pytest.mark.real

TOLERANCE = {"probabilities": 1e-5, "heatmaps": 1e-3, "masks": 1, "scope": 1e-4}


def phantoms(model: ModelManifest) -> NDArray[np.uint8]:
    """Three phantom chests as the model's input, uint8 [3, H, W, 1]."""
    height, width, _ = model.film_input.shape
    preprocess = PREPROCESSING[model.preprocessing]
    return np.stack([preprocess(phantom_film(512, 450, seed), height, width) for seed in (1, 2, 3)])


def test_triton_says_of_a_film_what_onnx_runtime_says(triton_server: TritonServer) -> None:
    """Every output of every shipped model, through the ensemble."""
    models = FilesystemModelCatalogue(MODEL_REPOSITORY, verify_artefacts=True).current()
    assert models.together is not None
    embedded, served = (
        open_inference(url, MODEL_REPOSITORY).read(models, phantoms)
        for url in ("onnx://", triton_server.url)
    )
    for model in models.models:
        for spec in model.outputs:
            np.testing.assert_allclose(
                served.outputs(model)[spec.name].astype(float),
                embedded.outputs(model)[spec.name].astype(float),
                rtol=0,
                atol=TOLERANCE[spec.meaning],
                err_msg=f"{model.name} {spec.name}",
            )

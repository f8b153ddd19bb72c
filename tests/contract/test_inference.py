"""What every inference engine does: a fake, ONNX Runtime in process, and a real Triton."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from hilum.adapters.inference.inference import open_inference
from hilum.adapters.inference.triton_grpc import TritonEngine
from hilum.adapters.model_catalogue.model_catalogue import FilesystemModelCatalogue
from hilum.domain.errors import InferenceFailed, InferenceUnavailable, ModelNotServed
from hilum.domain.model import Artefact
from hilum.imaging.phantom import phantom_film
from hilum.imaging.preprocessing import PREPROCESSING
from tests.contract.frozen import frozen
from tests.fakes.inference import BandEngine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hilum.application.ports.inference import InferenceEngine, InferenceOutput
    from hilum.domain.model import ModelManifest
    from hilum_stack.triton import TritonServer

MODEL_REPOSITORY = Path(__file__).resolve().parents[2] / "model_repository"
MODELS = FilesystemModelCatalogue(MODEL_REPOSITORY, verify_artefacts=True).current().models
REAL = [pytest.param("triton", marks=pytest.mark.real)]

# The same graph in the same runtime: what may differ is the order of additions in a larger batch.
PROBABILITY_TOLERANCE = 1e-5
HEATMAP_TOLERANCE = 1e-4
BACK_WITHIN_S = 60.0


@pytest.fixture(params=MODELS, ids=lambda model: model.name)
def model(request: pytest.FixtureRequest) -> ModelManifest:
    """Each shipped model."""
    served: ModelManifest = request.param
    return served


@pytest.fixture(params=["fake", "onnx", *REAL])
def engine(request: pytest.FixtureRequest) -> InferenceEngine:
    """An engine, of each kind, that serves the shipped models."""
    if request.param == "fake":
        return BandEngine(MODELS)
    if request.param == "onnx":
        return open_inference("onnx://", MODEL_REPOSITORY)
    return open_inference(request.getfixturevalue("triton_server").url, MODEL_REPOSITORY)


@cache
def golden_pictures() -> list[NDArray[np.uint8]]:
    """Phantom chests, noise, ramps and flat films, uint8 [H, W]."""
    ramp = np.linspace(0, 255, 512).astype(np.uint8)
    return [
        *(phantom_film(512, 450, seed) for seed in (1, 2, 3)),
        np.random.default_rng(0).integers(0, 256, (400, 512), dtype=np.uint8),
        np.tile(ramp, (512, 1)),
        np.tile(ramp[:, np.newaxis], (1, 512)),
        np.zeros((512, 512), np.uint8),
        np.full((512, 512), 255, np.uint8),
    ]


def golden_films(model: ModelManifest) -> NDArray[np.uint8]:
    """The golden pictures as the model's input, uint8 [8, H, W, 1]."""
    height, width, _ = model.film_input.shape
    preprocess = PREPROCESSING[model.preprocessing]
    return np.stack([preprocess(picture, height, width) for picture in golden_pictures()])


def assert_same(answer: InferenceOutput, expected: InferenceOutput) -> None:
    """Two answers agree within the tolerances."""
    np.testing.assert_allclose(
        answer.probabilities, expected.probabilities, rtol=0, atol=PROBABILITY_TOLERANCE
    )
    np.testing.assert_allclose(
        answer.heatmaps, expected.heatmaps, rtol=HEATMAP_TOLERANCE, atol=HEATMAP_TOLERANCE
    )


def rows(answer: InferenceOutput, which: slice) -> InferenceOutput:
    """The answer for some of the films."""
    return replace(
        answer, probabilities=answer.probabilities[which], heatmaps=answer.heatmaps[which]
    )


def test_answers_as_the_manifest_promises(engine, model):
    """Probabilities and heatmaps come in the promised shapes, and probabilities are such."""
    films = golden_films(model)
    answer = engine.infer(model, films)
    height, width, labels = model.output("heatmaps").shape
    assert answer.probabilities.shape == (len(films), labels)
    assert answer.heatmaps.shape == (len(films), height, width, labels)
    assert answer.probabilities.dtype == answer.heatmaps.dtype == np.float32
    assert ((answer.probabilities >= 0) & (answer.probabilities <= 1)).all()
    assert np.isfinite(answer.heatmaps).all()


def test_a_film_is_read_alike_alone_and_in_a_batch(engine, model):
    """What a film shares a batch with changes nothing; different films are read differently."""
    films = golden_films(model)
    together = engine.infer(model, films)
    for index in range(len(films)):
        which = slice(index, index + 1)
        assert_same(engine.infer(model, films[which]), rows(together, which))
    assert len(np.unique(together.probabilities.round(3), axis=0)) > 1


def test_threads_get_their_own_answers(engine, model):
    """Calls at the same time are batched together, and each gets the rows of its own films."""
    films = golden_films(model)
    expected = engine.infer(model, films)
    callers, calls = 8, 6
    answers: list[tuple[slice, InferenceOutput]] = []
    began = threading.Barrier(callers)

    def call(first: int) -> None:
        began.wait()
        for step in range(calls):
            start = (first + step) % (len(films) - 1)
            which = slice(start, start + 1 + first % 2)
            answers.append((which, engine.infer(model, films[which])))

    threads = [threading.Thread(target=call, args=(first,)) for first in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == callers * calls
    for which, answer in answers:
        assert_same(answer, rows(expected, which))


@pytest.mark.real
def test_triton_and_onnx_runtime_agree(model, triton_server):
    """The embedded default and the cluster read the same golden films alike."""
    films = golden_films(model)
    assert_same(
        open_inference(triton_server.url, MODEL_REPOSITORY).infer(model, films),
        open_inference("onnx://", MODEL_REPOSITORY).infer(model, films),
    )


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((1, 64, 64, 1), np.uint8),
        np.zeros((1, 1, 192, 192), np.uint8),
        np.zeros((192, 192, 1), np.uint8),
        np.zeros((0, 192, 192, 1), np.uint8),
        np.zeros((1, 192, 192, 1), np.float32),
    ],
    ids=["small", "channels first", "no batch", "no film", "float"],
)
def test_refuses_other_tensors(engine, model, wrong):
    """A tensor of another shape or dtype than the manifest's is a defect, and is not retried."""
    with pytest.raises(InferenceFailed):
        engine.infer(model, wrong)


def other_version(model: ModelManifest) -> ModelManifest:
    """A version of the model that nothing serves."""
    return replace(
        model, serving_version=7, onnx="7/model.onnx", artefacts=(Artefact("7/model.onnx", "", 1),)
    )


def other_model(model: ModelManifest) -> ModelManifest:
    """A model that nothing serves."""
    return replace(model, name="unheard-of")


@pytest.mark.parametrize("other", [other_version, other_model])
def test_what_is_not_served_is_told_so(engine, model, other):
    """A version or model that is not served is a wrong installation, not an outage."""
    with pytest.raises(ModelNotServed):
        engine.infer(other(model), golden_films(model))
    with pytest.raises(ModelNotServed):
        engine.check(other(model))


def test_checks(engine, model):
    """An engine that can run the model says so."""
    engine.check(model)


def until_it_answers(
    engine: InferenceEngine, model: ModelManifest, films: NDArray[np.uint8]
) -> InferenceOutput:
    """Ask until the engine is back; each attempt waits by itself."""
    deadline = time.monotonic() + BACK_WITHIN_S
    while True:
        try:
            return engine.infer(model, films)
        except InferenceUnavailable:
            if time.monotonic() > deadline:
                raise


@pytest.mark.parametrize("kind", ["fake", *REAL])
def test_an_outage_ends_when_it_ends(request, kind, model):
    """While the engine is down every call says so, and afterwards the same object works."""
    films = golden_films(model)
    fake = BandEngine(MODELS)
    server: TritonServer | None = None
    engine: InferenceEngine = fake
    if kind == "triton":
        server = request.getfixturevalue("triton_server")
        engine = open_inference(server.url, MODEL_REPOSITORY)
    before = engine.infer(model, films)
    fake.available = False
    if server is not None:
        server.kill()
    try:
        with pytest.raises(InferenceUnavailable):
            engine.infer(model, films)
        with pytest.raises(InferenceUnavailable):
            engine.check(model)
    finally:
        fake.available = True
        if server is not None:
            server.launch()
    assert_same(until_it_answers(engine, model, films), before)


@pytest.mark.real
def test_a_triton_that_hangs_is_given_up_at_the_deadline(model, triton_server):
    """A call never waits longer than its deadline, and the next one after the hang succeeds."""
    films = golden_films(model)
    engine = TritonEngine(triton_server.grpc_endpoint, deadline_s=0.5)
    until_it_answers(engine, model, films[:1])
    with frozen(triton_server), pytest.raises(InferenceUnavailable, match="DEADLINE_EXCEEDED"):
        engine.infer(model, films)
    until_it_answers(engine, model, films[:1])

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
from tritonclient.grpc import InferenceServerClient

from hilum.adapters.inference.inference import open_inference
from hilum.adapters.inference.triton_grpc import TritonEngine
from hilum.adapters.model_catalogue.model_catalogue import FilesystemModelCatalogue
from hilum.domain.errors import InferenceFailed, InferenceUnavailable, ModelNotServed
from hilum.domain.model import Artefact
from hilum.imaging.phantom import phantom_film
from hilum.imaging.preprocessing import PREPROCESSING
from hilum_stack.triton import TritonServer
from tests.contract.frozen import frozen
from tests.fakes.inference import BandEngine
from tests.grey_networks import write_grey_repository
from tests.servers import run_folder, started
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from hilum.application.ports.inference import InferenceEngine, Outputs
    from hilum.domain.model import ModelManifest, ModelSet

REAL = [pytest.param("triton", marks=pytest.mark.real)]

# The same graph in the same runtime: what may differ is the order of additions in a larger batch.
PROBABILITY_TOLERANCE = 1e-5
HEATMAP_TOLERANCE = 1e-4
BACK_WITHIN_S = 60.0


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


@pytest.fixture(params=["fake", "onnx", *REAL])
def engine(request: pytest.FixtureRequest, repository: Path, models: ModelSet) -> InferenceEngine:
    """An engine, of each kind, that serves them."""
    if request.param == "fake":
        return BandEngine(models.models)
    if request.param == "onnx":
        return open_inference("onnx://", repository)
    return open_inference(request.getfixturevalue("triton").url, repository)


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


def assert_same(answer: Outputs, expected: Outputs) -> None:
    """Two answers agree within the tolerances; masks to a grey level."""
    assert set(answer) == set(expected)
    for name, tensor in answer.items():
        tolerance = PROBABILITY_TOLERANCE if name.endswith("probabilities") else HEATMAP_TOLERANCE
        if tensor.dtype == np.uint8:
            tolerance = 1
        np.testing.assert_allclose(
            tensor.astype(float), expected[name].astype(float), rtol=0, atol=tolerance
        )


def rows(answer: Outputs, which: slice) -> Outputs:
    """The answer for some of the films."""
    return {name: tensor[which] for name, tensor in answer.items()}


def test_answers_as_the_manifest_promises(engine, model):
    """Every output comes in the promised shape and type, and probabilities are such."""
    films = golden_films(model)
    answer = engine.infer(model, films)
    assert set(answer) == {spec.name for spec in model.outputs}
    for spec in model.outputs:
        tensor = answer[spec.name]
        assert tensor.shape == (len(films), *spec.shape)
        assert tensor.dtype == np.dtype(spec.dtype)
        assert np.isfinite(tensor).all()
        if spec.meaning == "probabilities":
            assert ((tensor >= 0) & (tensor <= 1)).all()


def test_a_film_is_read_alike_alone_and_in_a_batch(engine, model):
    """What a film shares a batch with changes nothing; different films are read differently."""
    films = golden_films(model)
    together = engine.infer(model, films)
    for index in range(len(films)):
        which = slice(index, index + 1)
        assert_same(engine.infer(model, films[which]), rows(together, which))
    for spec in model.outputs:
        if spec.meaning == "probabilities":
            assert len(np.unique(together[spec.name].round(3), axis=0)) > 1


def test_a_set_gives_for_a_film_what_its_models_give(engine, models):
    """Whether the engine computes them together or one after the other."""
    reading = engine.read(models, lambda model: golden_films(model)[:1])
    for model in models.models:
        assert_same(reading.outputs(model), engine.infer(model, golden_films(model)[:1]))


def test_a_set_without_an_ensemble_gives_the_same(engine, models):
    """As for a site that reads with other versions than the ensemble runs."""
    alone = replace(models, ensemble=None)
    first, second = (
        engine.read(some, lambda model: golden_films(model)[:2]) for some in (models, alone)
    )
    for model in models.models:
        assert_same(first.outputs(model), second.outputs(model))


@pytest.mark.real
def test_a_film_costs_triton_one_request(models, triton):
    """For gate, panels and lungs; the ensemble runs every model once."""
    engine = open_inference(triton.url, Path())
    earlier = requests_of(triton, "hilum")
    engine.read(models, golden_film).outputs(models.models[0])
    # Triton counts an ensemble's request a moment after its answer.
    wait_for(lambda: requests_of(triton, "hilum") > earlier, "the first request is counted")
    before = requests_of(triton, "hilum"), requests_of(triton, "chest")
    reading = engine.read(models, golden_film)
    for model in models.models:
        reading.outputs(model)
    assert requests_of(triton, "chest") == before[1] + 1
    wait_for(lambda: requests_of(triton, "hilum") > before[0], "the second request is counted")
    assert requests_of(triton, "hilum") == before[0] + 1


def golden_film(model: ModelManifest) -> NDArray[np.uint8]:
    """One golden film."""
    return golden_films(model)[:1]


def requests_of(server: TritonServer, name: str) -> int:
    """How many requests a model of Triton has answered."""
    with InferenceServerClient(server.grpc_endpoint) as client:
        statistics = client.get_inference_statistics(name, as_json=True)
    return sum(
        int(row["inference_stats"]["success"].get("count", 0)) for row in statistics["model_stats"]
    )


def test_threads_get_their_own_answers(engine, model):
    """Calls at the same time are batched together, and each gets the rows of its own films."""
    films = golden_films(model)
    expected = engine.infer(model, films)
    callers, calls = 8, 6
    answers: list[tuple[slice, Outputs]] = []
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
def test_triton_and_onnx_runtime_agree(model, triton, repository):
    """The embedded default and the cluster read the same golden films alike."""
    films = golden_films(model)
    assert_same(
        open_inference(triton.url, repository).infer(model, films),
        open_inference("onnx://", repository).infer(model, films),
    )


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((1, 64, 64, 1), np.uint8),
        np.zeros((1, 1, 224, 224), np.uint8),
        np.zeros((224, 224, 1), np.uint8),
        np.zeros((0, 224, 224, 1), np.uint8),
        np.zeros((1, 224, 224, 1), np.float32),
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
) -> Outputs:
    """Ask until the engine is back; each attempt waits by itself."""
    deadline = time.monotonic() + BACK_WITHIN_S
    while True:
        try:
            return engine.infer(model, films)
        except InferenceUnavailable:
            if time.monotonic() > deadline:
                raise


@pytest.mark.parametrize("kind", ["fake", *REAL])
def test_an_outage_ends_when_it_ends(request, kind, models):
    """While the engine is down every call says so, and afterwards the same object works."""
    model = models.models[0]
    films = golden_films(model)
    fake = BandEngine(models.models)
    server: TritonServer | None = None
    engine: InferenceEngine = fake
    if kind == "triton":
        server = request.getfixturevalue("triton")
        engine = open_inference(server.url, Path())
    before = engine.infer(model, films)
    fake.available = False
    if server is not None:
        server.kill()
    try:
        with pytest.raises(InferenceUnavailable):
            engine.infer(model, films)
        with pytest.raises(InferenceUnavailable):
            engine.check(model)
        with pytest.raises(InferenceUnavailable):
            engine.read(models, golden_film).outputs(model)
    finally:
        fake.available = True
        if server is not None:
            server.launch()
    assert_same(until_it_answers(engine, model, films), before)


@pytest.mark.real
def test_a_triton_that_hangs_is_given_up_at_the_deadline(models, triton):
    """A call never waits longer than its deadline, and the next one after the hang succeeds."""
    model = models.models[0]
    films = golden_films(model)
    engine = TritonEngine(triton.grpc_endpoint, deadline_s=0.5)
    until_it_answers(engine, model, films[:1])
    with frozen(triton), pytest.raises(InferenceUnavailable, match="DEADLINE_EXCEEDED"):
        engine.infer(model, films)
    until_it_answers(engine, model, films[:1])

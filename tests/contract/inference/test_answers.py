"""Every engine answers as the manifest promises, for one model and for a set."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tritonclient.grpc import InferenceServerClient

from hilum.adapters.inference.inference import open_inference
from hilum.domain.errors import InferenceFailed
from tests.contract.inference.golden_films import assert_same, golden_film, golden_films, rows
from tests.waiting import wait_for

if TYPE_CHECKING:
    from hilum.application.ports.inference import Outputs
    from hilum_stack.triton import TritonServer


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

"""What runs of the known-answer test find, and what probes are told of it."""

from __future__ import annotations

import http.client
import json

import numpy as np
import pytest

from hilum.domain.errors import InferenceFailed, InferenceUnavailable, ModelNotServed
from hilum.imaging.golden_films import golden_chests
from hilum.serving.golden import Golden
from hilum.serving.target import Target
from hilum_triton_probe.endpoint import endpoint
from hilum_triton_probe.known_answers import KnownAnswerTest
from hilum_triton_probe.metrics import KnownAnswerMetrics
from hilum_triton_probe.status import Outcome
from tests.fakes.inference import BandEngine
from tests.fakes.model_catalogue import InMemoryModelCatalogue, whole_set

SET = InMemoryModelCatalogue(whole_set()).current().models


class PlayedEngine(BandEngine):
    """Answers otherwise than it did, as it is told.

    Attributes:
        change: Applied to every output.
        silent: Ready, and without an answer.
    """

    def __init__(self) -> None:
        super().__init__(SET)
        self.change = lambda output: output
        self.silent = False

    def infer(self, model, films):
        if self.silent:
            raise InferenceUnavailable("DEADLINE_EXCEEDED")
        return {name: self.change(value) for name, value in super().infer(model, films).items()}


@pytest.fixture
def engine() -> PlayedEngine:
    return PlayedEngine()


@pytest.fixture
def probe(engine) -> KnownAnswerTest:
    known = []
    for model in SET:
        rows, columns, _ = model.film_input.shape
        chests = golden_chests(rows, columns, model.preprocessing)
        known.append((model, Golden.of(model, chests, engine.infer(model, chests), Target.CPU)))
    return KnownAnswerTest(engine, known, KnownAnswerMetrics())


def not_a_number(output):
    return np.full_like(output, np.nan) if output.dtype == np.float32 else output


def test_before_the_first_run_nothing_is_known(probe):
    """Not ready; and nothing to start anew for."""
    assert (probe.status.ready, probe.status.alive) == (False, True)


def test_right_answers_are_ready(probe, engine):
    """Every model was asked."""
    engine.asked.clear()
    assert probe.run().ready
    assert engine.asked == [model.name for model in SET]


@pytest.mark.parametrize(
    "change",
    [np.zeros_like, np.ones_like, not_a_number, lambda output: output[..., ::-1]],
    ids=["zeros", "ones", "NaN", "other order"],
)
def test_wrong_answers_are_not_ready_and_after_three_not_alive(probe, engine, change):
    """Whatever Triton says of itself."""
    probe.run()
    engine.change = change
    told = [(probe.run().ready, probe.status.alive) for _ in range(4)]
    assert told == [(False, True), (False, True), (False, False), (False, False)]
    assert probe.status.reason.startswith("wrong_answer: ")
    engine.change = lambda output: output
    assert (probe.run().ready, probe.status.alive) == (True, True)


def test_an_answer_within_the_tolerance_is_right(probe, engine):
    """Two runtimes round differently."""
    engine.change = lambda output: output + np.float32(5e-4) if output.dtype != np.uint8 else output
    assert probe.run().ready


@pytest.mark.parametrize("failure", [InferenceFailed("no"), ModelNotServed("no")])
def test_a_triton_that_fails_is_wrong(probe, engine, failure):
    """The reason begins with the error's code."""
    engine.failure = failure
    for _ in range(3):
        probe.run()
    assert not probe.status.alive
    assert probe.status.reason == f"{failure.code}: no"


def test_a_triton_that_is_ready_and_silent_is_wrong(probe, engine):
    """A GPU that hangs."""
    engine.silent = True
    for _ in range(3):
        probe.run()
    assert (probe.status.outcome, probe.status.alive) == (Outcome.WRONG, False)


def test_a_triton_that_is_down_is_not_ready_and_starts_with_a_clean_sheet(probe, engine):
    """What answered wrongly was started anew: it is given its time to load."""
    engine.change = np.zeros_like
    for _ in range(3):
        probe.run()
    engine.available = False
    for _ in range(5):
        status = probe.run()
        assert (status.outcome, status.ready, status.alive) == (Outcome.DOWN, False, True)


def test_a_triton_that_stays_down_is_given_up(probe, engine):
    """A process that froze answers no probe, and nobody else would end it."""
    engine.available = False
    told = [probe.run().alive for _ in range(13)]
    assert told == [True] * 11 + [False] * 2
    engine.available = True
    assert probe.run().alive


def test_a_defect_is_an_outcome(probe, engine, caplog):
    """The watcher goes on watching."""
    engine.failure = RuntimeError("defect")
    assert probe.run().outcome is Outcome.WRONG
    assert probe.status.reason == "internal_error: RuntimeError"
    engine.failure = None
    assert probe.run().ready


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_probes_are_answered_over_http(probe, engine):
    """With the reason, for whoever describes the pod."""
    with endpoint(probe, "127.0.0.1", 0) as port:
        assert [get(port, path)[0] for path in ("/ready", "/alive", "/else")] == [503, 200, 404]
        probe.run()
        assert [get(port, path)[0] for path in ("/ready", "/alive")] == [200, 200]
        engine.change = np.zeros_like
        for _ in range(3):
            probe.run()
        status, body = get(port, "/alive")
        assert (status, json.loads(body)["wrong_in_a_row"]) == (503, 3)
        _, metrics = get(port, "/metrics")
    assert "hilum_golden_film_ready 0.0" in metrics
    assert 'hilum_golden_film_looks_total{finding="wrong"} 3.0' in metrics
    assert 'hilum_golden_film_deviation{model="gate",output="gate_probabilities"' in metrics


def test_what_the_build_measured_is_given_out_as_well(probe, tmp_path):
    """An init container lives too shortly to be scraped; without a build there is no file."""
    file = tmp_path / "hilum_engine.prom"
    with endpoint(probe, "127.0.0.1", 0, file) as port:
        assert "hilum_engine" not in get(port, "/metrics")[1]
        file.write_text('hilum_engine_fallback{model="gate",version="1",reason="x"} 1.0\n')
        status, metrics = get(port, "/metrics")
    assert status == 200
    assert "hilum_golden_film_ready" in metrics
    assert metrics.endswith('hilum_engine_fallback{model="gate",reason="x",version="1"} 1.0\n')

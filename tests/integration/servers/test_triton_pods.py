"""Two real Tritons behind one name, as pods behind a headless service."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tritonclient.grpc import InferenceServerClient

from hilum.adapters.inference.triton_grpc import TritonEngine
from hilum.adapters.model_catalogue.model_catalogue import FilesystemModelCatalogue
from hilum.domain.errors import InferenceUnavailable, ModelNotServed
from hilum.imaging.golden_films import golden_films
from hilum_stack.errors import ServerMissing
from hilum_stack.ports import reserve_port
from hilum_stack.triton import TritonServer
from tests.grey_networks import write_grey_repository
from tests.name_server import NameServer
from tests.servers import run_folder, server_missing
from tests.small_networks import small_network, small_repository
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hilum.application.ports.inference import Outputs

pytestmark = pytest.mark.real

ADDRESSES = ("127.0.0.1", "127.0.0.2")
FILMS = 60


@contextmanager
def running(folder: Path, *repositories: Path) -> Iterator[tuple[TritonServer, ...]]:
    """One for each repository, on one port, and all end every connection after half a second."""
    port = reserve_port()
    servers = tuple(
        TritonServer(folder / address, models, address=address, grpc_port=port)
        for address, models in zip(ADDRESSES, repositories, strict=True)
    )
    try:
        for server in servers:
            server.max_connection_age_ms = 500
            server.begin()
        for server in servers:
            server.wait_ready()
        yield servers
    except ServerMissing as missing:
        server_missing(missing)
    finally:
        for server in servers:
            server.stop()


@pytest.fixture(scope="module")
def pods() -> Iterator[tuple[TritonServer, ...]]:
    with run_folder() as folder:
        models = write_grey_repository(folder / "models")
        with running(folder, models, models) as servers:
            yield servers


def executions(server: TritonServer) -> int:
    """How often the gate ran in one of them."""
    with InferenceServerClient(server.grpc_endpoint) as client:
        statistics = client.get_inference_statistics("gate", as_json=True)
    return sum(int(row.get("execution_count", 0)) for row in statistics["model_stats"])


def test_both_get_work_and_one_that_dies_is_done_without(pods):
    """Every film is answered while connections end by age, one pod is killed and comes back."""
    one, two = pods
    models = FilesystemModelCatalogue(one.model_repository).current()
    film = np.full((1, *models.models[0].film_input.shape), 128, np.uint8)
    with NameServer(ADDRESSES) as names:
        engine = TritonEngine(names.target(one.grpc_port))

        def read() -> Outputs:
            return engine.read(models, lambda _: film).outputs(models.models[0])

        expected = read()

        def read_many(count: int) -> None:
            for _ in range(count):
                answer = read()
                assert all(np.array_equal(answer[name], expected[name]) for name in expected)

        before = executions(one), executions(two)
        wait_for(
            lambda: (
                read()
                and all(executions(pod) > count for pod, count in zip(pods, before, strict=True))
            ),
            "films for both",
        )
        read_many(FILMS)
        one.kill()
        read_many(FILMS)
        one.restart()
        warm = executions(one)
        wait_for(lambda: read() and executions(one) > warm, "a film for the pod that came back")
        read_many(FILMS)


def test_while_models_are_exchanged_every_film_is_read_by_those_of_its_set(tmp_path):
    """The ensemble of a pod that has newer networks already is another version, and not asked."""
    with run_folder() as folder:
        small_repository(folder / "former", tmp_path)
        shutil.copytree(folder / "former", folder / "newer")
        small_network("chest", tmp_path, version="0.2.0", seed=5).publish(folder / "newer")
        sets = [FilesystemModelCatalogue(folder / name).current() for name in ("former", "newer")]
        with running(folder, folder / "former", folder / "newer") as pods:
            for models, alone in zip(sets, pods, strict=True):
                chest = next(model for model in models.models if model.name == "chest")
                film = golden_films(chest.film_input.shape[0])[5:6]
                expected = TritonEngine(alone.grpc_endpoint).infer(chest, film)
                with NameServer(ADDRESSES) as names:
                    answered = 0
                    for number in range(FILMS):
                        if number % 6 == 0:  # as many workers, each with what it saw first
                            engine = TritonEngine(names.target(alone.grpc_port))
                        try:
                            answer = engine.read(models, lambda _, film=film: film).outputs(chest)
                        except ModelNotServed:  # by the pod that has the former networks alone
                            assert models is sets[1]
                            continue
                        except InferenceUnavailable:  # its job would come back
                            continue
                        answered += 1
                        for name in expected:
                            np.testing.assert_allclose(answer[name], expected[name], atol=1e-5)
                assert answered

"""Several servers behind one name, as pods behind a headless service."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc
import pytest
from tritonclient.grpc import service_pb2_grpc as service

from hilum.adapters.inference.triton_grpc import TritonEngine
from hilum.domain.errors import InferenceUnavailable
from hilum_stack.ports import reserve_port
from tests.name_server import NameServer
from tests.unit.adapters.inference.played_triton import FILMS, MODEL, PlayedTriton
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST, SECOND = "127.0.0.1", "127.0.0.2"
MAX_AGE_MS = 500


@pytest.fixture
def port() -> int:
    """The port that every server of the name listens on."""
    return reserve_port()


@contextmanager
def pod(address: str, port: int) -> Iterator[tuple[PlayedTriton, grpc.Server]]:
    """A server on an address of its own."""
    triton = PlayedTriton()
    options = [("grpc.max_connection_age_ms", MAX_AGE_MS), ("grpc.so_reuseport", 0)]
    server = grpc.server(ThreadPoolExecutor(2), options=options)
    service.add_GRPCInferenceServiceServicer_to_server(triton, server)
    server.add_insecure_port(f"{address}:{port}")
    server.start()
    try:
        yield triton, server
    finally:
        server.stop(grace=None).wait()


def test_requests_go_to_every_server_of_the_name(port):
    """In turn, and not all to the first one."""
    with pod(FIRST, port) as (one, _), pod(SECOND, port) as (two, _):
        with NameServer([FIRST, SECOND]) as names:
            engine = TritonEngine(names.target(port))

            def asked() -> bool:
                engine.infer(MODEL, FILMS)
                return bool(one.requests and two.requests)

            wait_for(asked, "both servers are connected")
            before = len(one.requests), len(two.requests)
            for _ in range(20):
                engine.infer(MODEL, FILMS)
        shares = [len(one.requests) - before[0], len(two.requests) - before[1]]
    assert sum(shares) == 20
    # A connection that is being renewed misses a turn or two.
    assert min(shares) >= 5


def test_a_server_that_dies_costs_no_film(port):
    """The other one answers what it would have answered."""
    with pod(FIRST, port) as (one, first), pod(SECOND, port) as (two, _):
        with NameServer([FIRST, SECOND]) as names:
            engine = TritonEngine(names.target(port))
            wait_for(
                lambda: engine.infer(MODEL, FILMS) and one.requests and two.requests,
                "both servers are connected",
            )
            first.stop(grace=None).wait()
            before = len(two.requests)
            for _ in range(20):
                engine.infer(MODEL, FILMS)
        assert len(two.requests) == before + 20


def test_a_server_that_was_added_is_found(port):
    """Since the servers end their connections now and then, the name is looked up again."""
    with pod(FIRST, port), NameServer([FIRST]) as names:
        engine = TritonEngine(names.target(port))
        engine.infer(MODEL, FILMS)
        with pod(SECOND, port) as (two, _):
            names.addresses.append(SECOND)
            wait_for(
                lambda: engine.infer(MODEL, FILMS) and two.requests,
                "a film for the server that was added",
            )


def test_a_server_that_left_for_another_address_is_found(port):
    """A pod that is started anew has a new address."""
    with NameServer([FIRST]) as names:
        engine = TritonEngine(names.target(port), deadline_s=30)
        with pod(FIRST, port):
            engine.infer(MODEL, FILMS)
        names.addresses[:] = [SECOND]
        with pod(SECOND, port) as (two, _):
            wait_for(lambda: _answers(engine), "an answer from the new address")
            assert two.requests


def _answers(engine: TritonEngine) -> bool:
    try:
        engine.check(MODEL)
        engine.infer(MODEL, FILMS)
    except InferenceUnavailable:  # until the name is looked up again
        return False
    return True

"""Fixtures of the gateway's tests."""

from __future__ import annotations

import pytest

from tests.unit.gateway.api import Api, FakeGateway


@pytest.fixture
def gateway() -> FakeGateway:
    """A gateway on fakes."""
    return FakeGateway()


@pytest.fixture
def api(gateway: FakeGateway) -> Api:
    """A client with an admin's key that is bound to no site."""
    return Api(gateway)


@pytest.fixture
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, as the gateway does."""
    return "asyncio"

"""A film through a platform that speaks TLS everywhere, and clients that trust one authority."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from hilum_stack.errors import ServerMissing
from hilum_stack.real import RealStack
from hilum_stack.services import child_environment, cli_command
from tests.certificates import Authority
from tests.grey_networks import write_grey_repository
from tests.servers import run_folder, server_missing

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    with run_folder() as folder:
        yield Authority(folder)


@pytest.fixture(scope="module")
def stack(authority: Authority) -> Iterator[RealStack]:
    """Gateway, worker, PostgreSQL, Redis, MinIO and Triton, each with the certificate."""
    with run_folder() as folder:
        models = write_grey_repository(folder / "models")
        running = RealStack(
            folder / "run",
            workers=1,
            model_repository=models,
            certificate=authority.sign("hilum"),
        )
        try:
            running.start()
        except ServerMissing as missing:
            server_missing(missing)
        try:
            yield running
        finally:
            running.stop()


def selftest(stack: RealStack, **environment: str) -> tuple[int, dict[str, object]]:
    done = subprocess.run(
        cli_command("selftest", "--url", stack.url, "--json"),
        env=child_environment({**stack.env, **environment}),
        stdout=subprocess.PIPE,
        check=False,
        text=True,
    )
    return done.returncode, json.loads(done.stdout)


def test_a_film_is_read_and_no_address_is_in_the_clear(stack: RealStack) -> None:
    """In at the gateway, through the object store, the database, the broker and Triton, and out."""
    assert stack.url.startswith("https://")
    assert stack.env["HILUM_BROKER_URL"].startswith("rediss://")
    assert "sslmode=verify-full" in stack.env["HILUM_DATABASE_URL"]
    for name in ("HILUM_OBJECT_STORE_URL", "HILUM_INFERENCE_URL"):
        assert "secure=true" in stack.env[name]
    status, report = selftest(stack)
    assert (status, report["passed"]) == (0, True), report


def test_a_client_that_trusts_another_authority_sends_nothing(
    stack: RealStack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It takes the gateway for one that is not there."""
    stranger = Authority(tmp_path_factory.mktemp("stranger"), "stranger")
    status, report = selftest(stack, SSL_CERT_FILE=str(stranger.certificate))
    assert status == 1
    failed = [step for step in report["steps"] if not step["passed"]]
    assert [step["name"] for step in failed] == ["gateway"]
    assert "certificate" in failed[0]["detail"].lower()

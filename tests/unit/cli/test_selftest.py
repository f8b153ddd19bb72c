"""``hilum selftest`` on a real gateway and worker, and where one of the parts is missing."""

from __future__ import annotations

import json

import pytest

from hilum.domain.principal import local_command
from hilum_cli.bootstrap import open_database
from hilum_stack.embedded import EmbeddedStack
from hilum_stack.services import Gateway
from tests.grey_networks import write_grey_repository


def keys(stack):
    found = open_database(stack.env["HILUM_DATABASE_URL"]).keys.all(local_command("test"))
    return [key for key in found if key.name == "selftest"]


@pytest.fixture
def selftest(command, stack):
    def run(*arguments: object, **environment: str):
        known = {"HILUM_API_URL": stack.url, "HILUM_DATABASE_URL": stack.env["HILUM_DATABASE_URL"]}
        return command("selftest", *arguments, **{**known, **environment})

    return run


def test_an_installation_that_works_says_so(selftest, stack):
    """Step by step; the key of the test is of no use afterwards."""
    done = selftest()
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[-1] == "the installation works"
    assert [line.split()[:2] for line in lines[:-1]] == [
        ["ok", name]
        for name in (
            *("database", "gateway", "submission", "analysis", "findings", "picture", "key"),
        )
    ]
    (key,) = keys(stack)
    assert key.revoked_at is not None
    assert (key.role.value, key.site) == ("submitter", "selftest")


def test_each_test_sends_another_film(selftest):
    """What was sent before would be answered without being read."""
    first, second = (json.loads(selftest("--json", "--priority", "stat").output) for _ in range(2))
    assert first["passed"]
    assert second["passed"]
    assert first["job_id"] != second["job_id"]
    assert [step["name"] for step in first["steps"]][-1] == "key"


def test_without_a_gateway_it_fails_and_says_where_it_looked(selftest, stack):
    """The key is revoked all the same."""
    before = len(keys(stack))
    done = selftest("--url", "http://127.0.0.1:9")
    assert done.exit_code == 1
    assert "FAILED  gateway" in done.output
    assert "no gateway answers at http://127.0.0.1:9" in done.output
    assert done.output.splitlines()[-1] == "the installation does not work"
    made = keys(stack)
    assert len(made) == before + 1
    assert all(key.revoked_at is not None for key in made)


def test_without_a_database_nothing_is_sent(selftest, tmp_path):
    """The first step fails."""
    done = selftest("--json", HILUM_DATABASE_URL=f"sqlite:///{tmp_path}/none/none.db")
    assert done.exit_code == 1
    report = json.loads(done.output)
    assert not report["passed"]
    (step,) = report["steps"]
    assert (step["name"], step["passed"]) == ("database", False)
    assert step["detail"]


def test_a_wrong_command_line_is_told_apart(selftest, command):
    """By the exit code."""
    assert selftest("--url", "ftp://gateway").exit_code == 2
    assert command("selftest").exit_code == 2


def test_without_a_worker_it_says_that_nobody_reads(command, tmp_path_factory):
    """The gateway answers, and the film waits."""
    models = write_grey_repository(tmp_path_factory.mktemp("models"))
    folder = tmp_path_factory.mktemp("idle")
    with EmbeddedStack(folder, workers=0, model_repository=models) as stack:
        assert isinstance(stack.gateway, Gateway)
        known = {"HILUM_API_URL": stack.url, "HILUM_DATABASE_URL": stack.env["HILUM_DATABASE_URL"]}
        done = command("selftest", "--patience", "0.5", **known)
    assert done.exit_code == 1
    assert "FAILED  analysis" in done.output
    assert "no worker has taken it; does one run that reads its queue?" in done.output

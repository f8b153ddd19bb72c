"""What people are told to type, and told after an installation."""

from __future__ import annotations

import base64
import shlex
import subprocess

import pytest
import yaml

from tests.chart.rendering import CHART, NAMESPACE, RELEASE
from tests.cluster.deployment_page import command_that_begins
from tests.cluster.paths import PROGRAMS

SITE = {"secrets.create": "false", "secrets.existingSecret": "hilum-site"}
EXTERNAL = {
    "objectStore": {**SITE, "objectStore.mode": "external"},
    "redis": {**SITE, "redis.mode": "external"},
    "postgresql": {**SITE, "postgresql.mode": "external"},
    "backup": {"maintenance.backup.to.existingSecret": "hilum-backup"},
}


def notes(**sets: str) -> str:
    """What Helm tells after an installation with these values."""
    done = subprocess.run(
        [
            *(PROGRAMS / "helm4", "install", RELEASE, CHART, "--namespace", NAMESPACE),
            "--dry-run=client",
            *(word for pair in sets.items() for word in ("--set", "=".join(pair))),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.partition("NOTES:")[2]


def test_the_page_makes_the_secret_that_the_profiles_name(kubectl):
    """As it is typed, and with the key that the chart reads."""
    words = shlex.split(command_that_begins("kubectl --namespace hilum create secret"))
    done = subprocess.run(
        [kubectl, *words[1:], "--dry-run=client", "--output", "yaml"],
        check=True,
        capture_output=True,
        text=True,
    )
    secret = yaml.safe_load(done.stdout)
    chart = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    key = chart["maintenance"]["backup"]["to"]["key"]
    assert base64.b64decode(secret["data"][key]).startswith(b"s3://")
    for name in ("small-hospital", "national-screening"):
        values = yaml.safe_load((CHART / "ci" / f"{name}-values.yaml").read_text(encoding="utf-8"))
        to = values["maintenance"]["backup"]["to"]
        assert to["existingSecret"] == secret["metadata"]["name"]


@pytest.mark.parametrize("name", EXTERNAL)
def test_a_server_outside_is_reached_at_one_port_and_people_are_told(name):
    """A store at another port than the policy's looks like one that is down."""
    port = f"networkPolicy.external.{name}.port"
    assert port in notes(**EXTERNAL[name], **{port: "9000"})
    assert "at port 9000 alone" in notes(**EXTERNAL[name], **{port: "9000"})
    assert port not in notes()
    assert port not in notes(**EXTERNAL[name], **{"networkPolicy.enabled": "false"})


def test_people_are_told_how_migrations_are_tried_again():
    """The Job's name comes from what it does, so an upgrade alone finds it and leaves it."""
    selector = "app.kubernetes.io/instance=hilum,app.kubernetes.io/component=migrations"
    assert f"delete job --selector {selector}" in notes()

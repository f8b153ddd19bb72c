"""compose.yaml, read by the library with which Docker Compose reads it."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

from images.paths import PROGRAMS, ROOT

PROFILES = ["cpu", "gpu"]
SECRETS = {
    "HILUM_DATABASE_PASSWORD": "database-password",
    "HILUM_BROKER_PASSWORD": "broker-password",
    "HILUM_SESSION_SECRET": "session-secret-of-32-characters-",
}
STEPS = {"migrations", "models-cpu", "models-gpu"}


def read(*profiles: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What Docker Compose would run under these profiles."""
    program = PROGRAMS / "compose-project"
    if not program.exists():
        missing = "compose-project is missing; `make services` builds it"
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail(missing)
        pytest.skip(missing)
    return subprocess.run(
        [str(program), str(ROOT / "compose.yaml"), *profiles],
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": os.environ.get("PATH", ""), **environment},
    )


def services(*profiles: str) -> dict[str, dict[str, Any]]:
    """The services of these profiles."""
    done = read(*profiles, **SECRETS)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)["services"]
    return found


@pytest.mark.parametrize("profile", PROFILES)
def test_nobody_is_root_and_nothing_is_written_to(profile: str):
    """Every service runs as a numbered user, without rights, on a read-only root."""
    for name, service in services(profile, "tools").items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service["user"].startswith("0"), name
        assert not service.get("privileged"), name


@pytest.mark.parametrize("profile", PROFILES)
def test_only_the_gateway_can_be_reached(profile: str):
    """One port is published, to this machine alone; the others have no way out."""
    found = services(profile)
    assert [name for name, service in found.items() if service.get("ports")] == ["gateway"]
    assert found["gateway"]["ports"][0]["host_ip"] == "127.0.0.1"
    assert all(
        set(service["networks"]) == {"inside"}
        for name, service in found.items()
        if name != "gateway"
    )


@pytest.mark.parametrize("profile", PROFILES)
def test_work_begins_when_what_it_needs_is_there(profile: str):
    """Gateway and worker wait for the tables and the models, the worker for its Triton too."""
    found = services(profile)
    for name in ("gateway", "worker"):
        needs = {
            needed: how["condition"]
            for needed, how in found[name]["depends_on"].items()
            if needed in found
        }
        assert needs["migrations"] == "service_completed_successfully"
        assert needs[f"models-{profile}"] == "service_completed_successfully"
    assert found["worker"]["depends_on"][f"triton-{profile}"]["condition"] == "service_healthy"
    assert found["migrations"]["depends_on"]["postgresql"]["condition"] == "service_healthy"


@pytest.mark.parametrize("profile", PROFILES)
def test_new_models_restart_the_triton_that_serves_them(profile: str):
    """Triton reads them at its start, and NVIDIA's image does not change with a release."""
    needed = services(profile)[f"triton-{profile}"]["depends_on"][f"models-{profile}"]
    assert needed["restart"] is True


@pytest.mark.parametrize("profile", PROFILES)
def test_no_step_is_run_again_and_no_service_stays_down(profile: str):
    """What ends is not restarted; what serves is."""
    for name, service in services(profile).items():
        assert service["restart"] == ("no" if name in STEPS else "unless-stopped"), name


@pytest.mark.parametrize("profile", PROFILES)
def test_each_profile_has_its_own_triton(profile: str):
    """Under either profile one Triton answers to the name that the worker is given."""
    found = services(profile)
    named = [
        name
        for name, service in found.items()
        if "triton" in ((service["networks"].get("inside") or {}).get("aliases") or ())
    ]
    assert named == [f"triton-{profile}"]
    reserved = found[named[0]].get("deploy", {}).get("resources", {}).get("reservations", {})
    assert bool(reserved.get("devices")) == (profile == "gpu")
    assert found["worker"]["environment"]["HILUM_INFERENCE_URL"] == "triton://triton:8001"


@pytest.mark.parametrize("profile", PROFILES)
def test_no_image_floats(profile: str):
    """Every image has a version, and it is never the latest."""
    for name, service in services(profile, "tools").items():
        tag = service["image"].rpartition("/")[2].partition(":")[2]
        assert tag, name
        assert tag != "latest", name


@pytest.mark.parametrize("missing", sorted(SECRETS))
def test_a_missing_password_is_named(missing: str):
    """Without a password nothing starts, and the message says which and where to read on."""
    given = {name: value for name, value in SECRETS.items() if name != missing}
    done = read("cpu", **given)
    assert done.returncode != 0
    assert f"required variable {missing} is missing a value: see docs/images.md" in done.stderr


def test_no_password_is_in_the_file():
    """Nothing in the file is a password by default."""
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    for name in SECRETS:
        assert f"${{{name}:-" not in text
        assert f"${{{name}:?" in text

"""What is reported of images, and what they are told of themselves."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest

from images.catalogue import BY_NAME
from images.container_engine import find_engine, limits, secrets
from images.errors import ImagesFailed
from images.labels import label_arguments, product_version
from images.report import Built, as_table, read_report, write_report

if TYPE_CHECKING:
    from pathlib import Path

GATEWAY = Built(
    name="gateway",
    reference="localhost/hilum/gateway:dev",
    identifier="sha256:" + "ab" * 32,
    base="localhost/base:dev",
    base_identifier="sha256:" + "cd" * 32,
    version="0.2.0",
    revision="ef" * 20,
    bytes=300 * 1024 * 1024,
    archive="gateway.tar",
    archive_bytes=1,
)


def test_a_report_is_read_as_it_was_written(tmp_path: Path):
    """Nothing of a report is lost, and one that is not there is empty."""
    path = tmp_path / "images.json"
    assert read_report(path) == {}
    write_report({"gateway": GATEWAY}, path)
    assert read_report(path) == {"gateway": GATEWAY}


def test_the_table_gives_sizes_in_mebibytes():
    """Size, the head of the digest, and the base that it was built on."""
    row = as_table({"gateway": GATEWAY}).splitlines()[-1]
    assert row == "| gateway | 300 | abababababab | localhost/base:dev |"


def test_the_environment_may_name_version_and_revision(monkeypatch: pytest.MonkeyPatch):
    """A build without a git checkout is told what it builds."""
    monkeypatch.setenv("VERSION", "1.2.3")
    monkeypatch.setenv("REVISION", "of a release")
    monkeypatch.setenv("SOURCE", "https://git.example/hilum")
    assert label_arguments(BY_NAME["gateway"]) == {
        "VERSION": "1.2.3",
        "REVISION": "of a release",
        "SOURCE": "https://git.example/hilum",
    }


def test_the_version_is_the_products(monkeypatch: pytest.MonkeyPatch):
    """Otherwise the version is that of the distribution."""
    monkeypatch.delenv("VERSION", raising=False)
    assert label_arguments(BY_NAME["gateway"])["VERSION"] == product_version()


@pytest.mark.parametrize(
    ("environment", "flags"),
    [
        ({}, []),
        ({"SSL_CERT_FILE": "/ca.pem"}, ["--secret", "id=ca,src=/ca.pem"]),
        (
            {"SSL_CERT_FILE": "/ca.pem", "HILUM_BUILD_CA": "/own.pem"},
            ["--secret", "id=ca,src=/own.pem"],
        ),
        ({"HILUM_BUILD_PIP_CONF": "/pip.conf"}, ["--secret", "id=pip,src=/pip.conf"]),
    ],
)
def test_what_a_build_is_lent_is_a_secret(environment: dict[str, str], flags: list[str]):
    """A CA bundle and a mirror's credentials go in as secrets, which no layer keeps."""
    assert secrets(environment) == flags


def test_a_container_asks_for_no_more_than_we_may_have():
    """The limits that are asked for lie within those of this process."""
    asked = dict(flag.split("=") for flag in limits() if "=" in flag)
    for name, kind in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC)):
        soft, hard = map(int, asked[name].split(":"))
        allowed = resource.getrlimit(kind)[1]
        assert 0 < soft <= hard
        assert allowed == resource.RLIM_INFINITY or hard <= allowed


def test_a_missing_engine_is_named():
    """Without podman and docker the text says what installs one."""
    with pytest.raises(ImagesFailed, match=r"no such-engine here; .*make image-tools"):
        find_engine("such-engine")

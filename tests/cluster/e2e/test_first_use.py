"""What docs/deployment.md tells a site to type first, typed as it stands there."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from hilum.adapters.dicom.phantom_dicom import phantom_dicom
from tests.cluster.commands import output_of
from tests.cluster.deployment_page import command_that_begins
from tests.cluster.e2e.readings import await_reading
from tests.cluster.errors import CommandFailed
from tests.cluster.pods import restricted_pod

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.cluster.e2e.installation import Installation

# What a site's DNS, its proxy and the trust of its machines do; no word of the command changes.
_CURL_SETTINGS = """\
connect-to = "hilum.hospital.example:443:{address}:8080"
cacert = "{authority}"
noproxy = "*"
silent
show-error
"""


def test_the_namespace_of_the_page_refuses_a_pod_with_rights(installation: Installation) -> None:
    """Pod Security `restricted` is enforced in it."""
    pod = restricted_pod("bold", "true")
    pod["spec"]["containers"][0]["securityContext"] = {"privileged": True}

    with pytest.raises(CommandFailed, match="violates PodSecurity"):
        installation.kubectl.apply(pod)


def test_a_dicom_film_that_curl_sends_is_read(
    installation: Installation, api: httpx.Client, tmp_path: Path
) -> None:
    """The page's command, with its host name, certificate and key, ends in a reading."""
    authority = tmp_path / "ca.crt"
    authority.write_bytes(installation.authority)
    address = installation.address("hilum-gateway")
    settings = _CURL_SETTINGS.format(address=address, authority=authority)
    (tmp_path / ".curlrc").write_text(settings)
    (tmp_path / "film.dcm").write_bytes(phantom_dicom(seed=20))
    own = {"CURL_HOME": str(tmp_path), "KEY": installation.api_key}

    command = command_that_begins("curl ")
    told = output_of("bash", "-c", command, env={**os.environ, **own}, folder=tmp_path)

    (job,) = json.loads(told)["jobs"]
    assert await_reading(api, job["job_id"]).findings

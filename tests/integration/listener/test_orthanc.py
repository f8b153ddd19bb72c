"""A whole stack takes what a PACS sends, and analyses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from hilum.adapters.dicom.phantom_dicom import phantom_dicom
from hilum_stack.embedded import EmbeddedStack
from hilum_stack.orthanc import OrthancServer
from hilum_stack.ports import reserve_port
from tests.servers import run_folder, started
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.real
ENDED = {"completed", "rejected", "failed"}


@pytest.fixture
def stack() -> Iterator[EmbeddedStack]:
    with run_folder() as folder:
        stack = EmbeddedStack(folder / "hilum", dicom_port=reserve_port())
        with stack:
            yield stack


def jobs(stack: EmbeddedStack) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {stack.api_key}"}
    answer = httpx.get(f"{stack.url}/v1/jobs", headers=headers, trust_env=False, timeout=60)
    found: list[dict[str, Any]] = answer.json()["jobs"]
    return found


def test_an_image_that_orthanc_sends_is_analysed(stack: EmbeddedStack) -> None:
    """Sent twice, it has one job. The submission tells who sent it, and how."""
    assert stack.listener is not None
    with (
        started(OrthancServer, {"HILUM": stack.listener.dicom_port}) as orthanc,
        httpx.Client(base_url=orthanc.url, trust_env=False, timeout=60) as pacs,
    ):
        taken = pacs.post("/instances", content=phantom_dicom(512, 512)).json()["ID"]
        for _ in range(2):
            sent = pacs.post("/modalities/HILUM/store", content=taken)
            assert sent.json()["FailedInstancesCount"] == 0, sent.text
        assert pacs.post("/modalities/HILUM/echo").status_code == httpx.codes.OK
        name = pacs.get(f"/instances/{taken}/tags?simplify").json()["SOPInstanceUID"]
    wait_for(lambda: {job["state"] for job in jobs(stack)} <= ENDED, "the end of the job")
    (job,) = jobs(stack)
    assert (job["state"], job["filename"]) == ("completed", f"{name}.dcm")
    headers = {"Authorization": f"Bearer {stack.api_key}"}
    url = f"{stack.url}/v1/submissions/{job['study_id']}"
    submission = httpx.get(url, headers=headers, trust_env=False, timeout=60).json()
    assert (submission["source"], submission["calling_ae"]) == ("dicom", orthanc.ae_title)
    assert submission["sender"] == {"kind": "ae_title", "id": orthanc.ae_title}

"""Uploads that cost much or stall, beside good ones, on a real gateway and worker."""

from __future__ import annotations

import socket
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest
from pydicom import uid

from hilum.imaging.phantom import phantom_png
from hilum_stack.embedded import EmbeddedStack
from tests.grey_networks import write_grey_repository
from tests.servers import run_folder
from tests.unit.adapters.dicom import films
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTILE = 40
STALLED = 40
GOOD = 8


@pytest.fixture(scope="module")
def stack() -> Iterator[EmbeddedStack]:
    """A gateway and a worker."""
    with run_folder() as folder:
        models = write_grey_repository(folder / "models")
        running = EmbeddedStack(folder / "stack", model_repository=models)
        running.start()
        try:
            yield running
        finally:
            running.stop()


def submit(stack: EmbeddedStack, name: str, data: bytes) -> httpx.Response:
    headers = {"Authorization": f"Bearer {stack.api_key}"}
    files = [("files", (name, data))]
    return httpx.post(f"{stack.url}/v1/studies", headers=headers, files=files, timeout=120)


def deflated_bomb() -> bytes:
    """120 KB that inflate to ten million elements."""
    data = films.native(uid.DeflatedExplicitVRLittleEndian, films.scene(bits=12), bits=12)
    start = 144 + int.from_bytes(data[140:144], "little")
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    element = struct.pack("<HH2sH", 0x0008, 0x0050, b"SH", 0)
    return data[:start] + packer.compress(element * 10_000_000) + packer.flush()


def test_good_uploads_are_answered_and_read_beside_hostile_ones(stack):
    """Forty files that cost much are refused with the cause, and images beside them completed."""
    bomb = deflated_bomb()
    goods = [phantom_png(256, 256, seed) for seed in range(GOOD)]
    with ThreadPoolExecutor(HOSTILE + GOOD) as senders:
        hostile = [senders.submit(submit, stack, "bomb.dcm", bomb) for _ in range(HOSTILE)]
        good = [senders.submit(submit, stack, "good.png", data) for data in goods]
        accepted = [answer.result() for answer in good]
        refused = [answer.result() for answer in hostile]
    assert {answer.status_code for answer in accepted} == {202}
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {
        (422, "too_many_elements")
    }
    for answer in accepted:
        job = answer.json()["jobs"][0]["job_id"]
        wait_for(lambda job=job: state_of(stack, job) == "completed", f"job {job} is completed")


def state_of(stack: EmbeddedStack, job: str) -> str:
    headers = {"Authorization": f"Bearer {stack.api_key}"}
    answer = httpx.get(f"{stack.url}/v1/jobs/{job}", headers=headers, timeout=60)
    return str(answer.json()["state"])


def stalled(stack: EmbeddedStack) -> socket.socket:
    """An upload of the key that stops after its first bytes."""
    address = urlsplit(stack.url)
    held = socket.create_connection((address.hostname, address.port), timeout=60)
    held.sendall(
        b"POST /v1/studies HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n"
        b"Content-Type: multipart/form-data; boundary=xYz\r\n"
        + f"Authorization: Bearer {stack.api_key}\r\n\r\n".encode()
        + b'--xYz\r\nContent-Disposition: form-data; name="files"; filename="x.png"\r\n\r\n\x89PNG'
    )
    return held


def test_stalled_uploads_of_a_key_hold_up_no_other(stack):
    """More stalled uploads than there are slots leave room for an upload, even of the same key."""
    held = [stalled(stack) for _ in range(STALLED)]
    try:
        assert submit(stack, "good.png", phantom_png(256, 256, 99)).status_code == 202
    finally:
        for one in held:
            one.close()

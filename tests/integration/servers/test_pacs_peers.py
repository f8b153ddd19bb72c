"""The DICOM peers that tests use: reached over loopback, and enclosed otherwise."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from hilum.adapters.dicom.phantom_dicom import phantom_dicom
from hilum_stack.enclosed import ENCLOSED, enclose
from hilum_stack.orthanc import OrthancServer
from hilum_stack.server import find_program
from hilum_stack.storescp import StorescpServer
from tests.servers import run_folder, started
from tests.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.real

SHARES = """
import pathlib, subprocess, sys
from hilum_stack.storescp import StorescpServer
with StorescpServer(pathlib.Path(sys.argv[1])).launch() as peer:
    argv = ["dcmsend", "--call", peer.ae_title, "127.0.0.1", str(peer.dicom_port), sys.argv[2]]
    subprocess.run(argv, check=True)
    print(len(list(peer.received.iterdir())), len(list(peer.folder.glob("relay-*"))))
"""


def send(path: Path, peer: OrthancServer | StorescpServer) -> None:
    """Send a file by C-STORE."""
    program = str(find_program("DCMTK", "dcmsend"))
    argv = [program, "--call", peer.ae_title, "127.0.0.1", str(peer.dicom_port), str(path)]
    subprocess.run(argv, check=True, capture_output=True, timeout=60)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A small DICOM file."""
    path = tmp_path / "image.dcm"
    path.write_bytes(phantom_dicom(256, 256))
    return path


def test_an_image_goes_round_over_orthanc_and_storescp(image: Path):
    """Orthanc takes it, shows it over DICOMweb, and sends it on to a port outside."""
    with started(StorescpServer) as receiver:
        with started(OrthancServer, {receiver.ae_title: receiver.dicom_port}) as orthanc:
            send(image, orthanc)
            with httpx.Client(base_url=orthanc.url, trust_env=False, timeout=30) as client:
                (instance,) = client.get("/instances").json()
                assert len(client.get("/dicom-web/studies").json()) == 1
                sent = client.post(f"/modalities/{receiver.ae_title}/store", content=instance)
            assert sent.json()["FailedInstancesCount"] == 0
        wait_for(lambda: len(list(receiver.received.iterdir())) == 1, "the image")


def test_nobody_else_reaches_an_enclosed_server(image: Path):
    """Of the port that storescp binds on every address, only 127.0.0.1 is there outside."""
    with started(StorescpServer) as receiver:
        send(image, receiver)
        own = subprocess.check_output(["ss", "--listening", "--tcp", "--numeric"], text=True)
        port = f":{receiver.dicom_port} "
        assert [line.split()[3] for line in own.splitlines() if port in line] == [
            f"127.0.0.1:{receiver.dicom_port}"
        ]
        receiver.stop()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", receiver.dicom_port), timeout=5)
        receiver.restart()
        send(image, receiver)


def test_a_process_that_is_enclosed_needs_no_relays(image: Path):
    """Where the whole run has a namespace of its own, the server shares it."""
    with run_folder() as folder:
        argv = enclose([sys.executable, "-c", SHARES, str(folder / "storescp"), str(image)])
        env = {**os.environ, ENCLOSED: "1"}
        told = subprocess.run(
            argv, env=env, check=True, capture_output=True, text=True, timeout=120
        )
    assert told.stdout.split() == ["1", "0"]

"""An image comes from a real PACS, and its result goes back there, into the same study."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from io import BytesIO
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from highdicom.sr import srread
from pydicom import dcmread

from hilum_stack.embedded import EmbeddedStack
from hilum_stack.errors import ServerMissing
from hilum_stack.films import write_dicom_phantom
from hilum_stack.pacs import OrthancPacs
from hilum_stack.ports import LOOPBACK, reserve_port
from hilum_stack.round_trip import report_text, round_trip
from hilum_stack.services import child_environment, cli_command
from tests.contract.scripted_peer import ScriptedPeer
from tests.servers import run_folder, server_missing
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hilum_stack.round_trip import Returned

pytestmark = pytest.mark.real

COMPREHENSIVE_3D_SR = "1.2.840.10008.5.1.4.1.1.88.34"


class Hospital:
    """A stack with an Orthanc beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        port = reserve_port()
        try:
            self.pacs = OrthancPacs(folder / "pacs", port)
        except ServerMissing as missing:
            server_missing(missing)
        # Keys of 32 bytes in base64.
        env = {"HILUM_DELIVERY_CONTEXT_KEYS": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}
        self.stack = EmbeddedStack(folder / "hilum", dicom_port=port, pacs=self.pacs, env=env)
        self._images = 0

    def image(self) -> Path:
        self._images += 1
        return write_dicom_phantom(self.folder / str(self._images))

    def trip(self, image: Path) -> dict[str, Returned]:
        returned = round_trip(self.pacs, image, self.stack.require_running)
        return {one.modality: one for one in returned}

    def command(self, *arguments: str) -> str:
        done = subprocess.run(
            cli_command(*arguments),
            env=child_environment(self.stack.env),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def result_of(self, image: Path) -> dict[str, Any]:
        name = f"{dcmread(image, stop_before_pixels=True).SOPInstanceUID}.dcm"
        headers = {"Authorization": f"Bearer {self.stack.api_key}"}
        with httpx.Client(
            base_url=self.stack.url, headers=headers, trust_env=False, timeout=60
        ) as gateway:
            jobs = gateway.get("/v1/jobs").json()["jobs"]
            (job_id,) = [job["job_id"] for job in jobs if job["filename"] == name]
            found: dict[str, Any] = gateway.get(f"/v1/jobs/{job_id}").json()
            return found


@pytest.fixture(scope="module")
def hospital() -> Iterator[Hospital]:
    with run_folder() as folder:
        hospital = Hospital(folder)
        with hospital.stack:
            yield hospital


def test_the_objects_of_a_result_come_back_into_the_study(hospital: Hospital) -> None:
    """SR, SC, GSPS and SEG, once each. The report says what the API says."""
    image = hospital.image()
    returned = hospital.trip(image)
    assert set(returned) == {"SR", "OT", "PR", "SEG"}
    assert all("research use only" in one.description for one in returned.values())
    content = returned["SR"].content
    assert "Measurement Group" in report_text(content)
    groups = srread(BytesIO(content)).content
    said = {}
    for group in [
        *groups.get_image_measurement_groups(),
        *groups.get_planar_roi_measurement_groups(),
    ]:
        values = {item.name.meaning: float(item.value) for item in group.get_measurements()}
        if values:
            said[group.tracking_identifier] = values["Probability"]
    result = hospital.result_of(image)["result"]
    asked = {
        f"{panel['panel']}.{finding['label']}": pytest.approx(finding["probability"], abs=1e-6)
        for panel in result["panels"]
        for finding in panel["findings"]
        if finding["rank"] != "not_shown"
    }
    assert said == asked


def test_storage_commitment_confirms_what_stow_and_cstore_sent(hospital: Hospital) -> None:
    """Orthanc reports to the listener. A web destination gets the same objects."""
    add = ("pacs", "destinations", "add")
    where = ("--ae-title", hospital.pacs.ae_title, "--host", LOOPBACK)
    port = ("--port", str(hospital.pacs.dicom_port))
    hospital.command(*add, "committed", "--site", "default", *where, *port, "--commitment")
    url = f"{hospital.pacs.server.url}/dicom-web"
    hospital.command(*add, "web", "--site", "default", "--url", url)
    assert "answered within" in hospital.command("pacs", "echo", "default/web")
    try:
        image = hospital.image()
        returned = hospital.trip(image)
        assert set(returned) == {"SR", "OT", "PR", "SEG"}
        study = dcmread(image, stop_before_pixels=True).StudyInstanceUID
        assert len(hospital.pacs.objects(study)) == 5  # the same objects by three ways

        def confirmed() -> bool:
            told = hospital.command("pacs", "deliveries", "--destination", "default/committed")
            return "confirmed" in told

        wait_for(confirmed, "the report of Orthanc")
        assert "sent" in hospital.command("pacs", "deliveries", "--destination", "default/web")
    finally:
        hospital.command("pacs", "destinations", "disable", "default/committed")
        hospital.command("pacs", "destinations", "disable", "default/web")


def test_a_pacs_that_is_away_gets_everything_once_when_it_is_back(hospital: Hospital) -> None:
    """And one that knows no SR keeps the rest: its SR is a dead letter."""
    with ScriptedPeer(without=(COMPREHENSIVE_3D_SR,)) as peer:
        hospital.command(
            *("pacs", "destinations", "add", "picky", "--site", "default"),
            *("--ae-title", "PEER", "--host", LOOPBACK, "--port", str(peer.port)),
        )
        image = hospital.image()
        hospital.pacs.send(image)
        hospital.pacs.server.stop()
        wait_for(
            lambda: "default/picky" in hospital.command("pacs", "deliveries", "--state", "failed"),
            "the dead letter",
        )
        told = hospital.command("pacs", "deliveries", "--destination", "default/picky")
        assert "sr: refused" in told
        assert "sc: sent" in told
        assert "presentation context" in told
        assert len(peer.held) == 1
    hospital.command("pacs", "destinations", "disable", "default/picky")
    hospital.pacs.server.launch()
    study = dcmread(image, stop_before_pixels=True).StudyInstanceUID

    def held() -> int:
        try:
            return len(hospital.pacs.objects(study))
        except Exception:  # noqa: BLE001 - it starts
            return 0

    wait_for(lambda: held() == 5, "all objects", 180)


def test_nothing_of_the_patient_is_in_rows_and_logs(hospital: Hospital) -> None:
    """No name and no number, after images, results, failures and commitment."""
    database = sqlite3.connect(hospital.stack.folder / "hilum.db")
    names = [
        row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type='table'")
    ]
    for name in names:
        for row in database.execute(f'SELECT * FROM "{name}"'):  # noqa: S608 - from the database
            assert "Phantom^" not in json.dumps(row, default=repr), name
            assert "PHANTOM" not in json.dumps(row, default=repr), name
    for log in hospital.stack.folder.rglob("*.log"):
        text = log.read_text(errors="replace")
        assert "Phantom^" not in text, log
        assert "PHANTOM" not in text, log

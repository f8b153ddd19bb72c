"""The PACS beside a stack, where it is a receiver of ours: no root and no Orthanc."""

from __future__ import annotations

import shutil
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from pydicom import dcmread

from hilum.adapters.dicom.encoding.result_encoder import HighdicomEncoder
from hilum.adapters.dicom.network.dimse_sender import DimseSender
from hilum.adapters.dicom.network.stow_sender import file_of
from hilum.domain.destination import EncodingOptions, ObjectKind
from hilum_stack import round_trip as trips
from hilum_stack.errors import ServerMissing, StackError
from hilum_stack.films import write_dicom_phantom
from hilum_stack.orthanc import OrthancServer
from hilum_stack.pacs import ReceiverPacs, open_pacs
from hilum_stack.ports import LOOPBACK, reserve_port
from hilum_stack.receiver import Receiver
from hilum_stack.round_trip import copy_of, is_dicom, report_text, round_trip
from tests.contract.test_deliveries import a_destination
from tests.servers import run_folder
from tests.unit.adapters.dicom.encoding import results

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder() -> Iterator[Path]:
    with run_folder() as folder:
        yield folder


def report() -> bytes:
    made = HighdicomEncoder().encode(results.result(), [ObjectKind.SR], EncodingOptions())
    return file_of(made[ObjectKind.SR])


def test_a_receiver_sends_an_image_and_holds_what_comes_back(folder):
    """Hilum's part is played by a second receiver, and by the sender of the worker."""
    with Receiver(folder / "hilum") as hilum:
        hilum.launch()
        pacs = ReceiverPacs(folder / "pacs", hilum.dicom_port)
        with pacs.server.launch():
            image = write_dicom_phantom(folder)
            sent = dcmread(image)
            objects = HighdicomEncoder().encode(
                results.result(
                    image.read_bytes(), analysis=results.analysis(rows=1024, columns=1024)
                ),
                [ObjectKind.SR, ObjectKind.GSPS],
                EncodingOptions(),
            )
            destination = a_destination(ae_title=pacs.ae_title, host=LOOPBACK, port=pacs.dicom_port)
            sender = DimseSender()
            looks = []

            def look() -> None:
                if not looks:
                    sender.send(destination, list(objects.values()))
                looks.append(1)

            returned = round_trip(pacs, image, look)
            sender.close()
        assert [path.stem for path in hilum.received.glob("*.dcm")] == [sent.SOPInstanceUID]
    assert {one.modality for one in returned} == {"SR", "PR"}
    assert all("research use only" in one.description for one in returned)
    assert pacs.objects("1.2.3") == {}


def test_nothing_that_comes_back_is_an_error(folder, monkeypatch):
    """After a time; and so is a listener that is not there."""
    monkeypatch.setattr(trips, "WITHIN_S", 0.3)
    image = write_dicom_phantom(folder)
    with Receiver(folder / "hilum") as hilum:
        hilum.launch()
        pacs = ReceiverPacs(folder / "pacs", hilum.dicom_port)
        with pytest.raises(StackError, match="nothing came back to RECEIVER"):
            round_trip(pacs, image, lambda: None)
    gone = ReceiverPacs(folder / "other", reserve_port())
    with pytest.raises(StackError, match="takes no association"):
        gone.send(image)


def test_a_receiver_stands_in_for_an_orthanc_that_is_missing(folder, monkeypatch):
    """Unless it is asked for."""

    def missing(_self: OrthancServer) -> None:
        raise ServerMissing("Orthanc", "not here")

    monkeypatch.setattr(OrthancServer, "require_installed", missing)
    assert isinstance(open_pacs(folder, 11112, require_orthanc=False), ReceiverPacs)
    with pytest.raises(ServerMissing):
        open_pacs(folder, 11112, require_orthanc=True)


def test_a_report_is_shown_as_a_tree_where_dsrdump_is_missing(monkeypatch):
    """Its findings, values and codes."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    lines = report_text(report()).splitlines()
    assert lines[0] == "Imaging Measurement Report"
    assert "      Finding: Tuberculosis" in lines
    assert "      Probability: 0.91" in lines
    assert "      Presence of property: Yes" in lines


def test_each_run_sends_a_study_of_its_own(folder):
    """With the pixels as they were encoded."""
    image = write_dicom_phantom(folder / "a")
    copies = [dcmread(copy_of(image, folder)) for _ in range(2)]
    assert len({copy.StudyInstanceUID for copy in copies}) == 2
    assert {copy.PixelData for copy in copies} == {dcmread(image).PixelData}
    assert is_dicom(image)
    other = folder / "x.png"
    other.write_bytes(b"\x89PNG")
    assert not is_dicom(other)
    assert dcmread(BytesIO(report())).Modality == "SR"

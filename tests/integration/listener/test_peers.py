"""Real senders: DCMTK's programs and pynetdicom's SCU, in each transfer syntax."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pydicom.filereader import dcmread
from pydicom.uid import ExplicitVRLittleEndian, RLELossless

from hilum_stack.server import find_program
from tests.integration.listener.running import data_set_of, run
from tests.integration.listener.senders import (
    DX,
    SYNTAXES,
    VERIFICATION,
    phantom,
    written,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.listener.running import Running

pytestmark = pytest.mark.real


def is_kept(listener: Running, path: Path) -> bool:
    """Whether a file has one job, and its object the bytes of its data set."""
    uid = str(dcmread(path, stop_before_pixels=True).SOPInstanceUID)
    stored = listener.object_of(uid)
    return listener.jobs()[uid] == 1 and data_set_of(stored) == data_set_of(path.read_bytes())


def test_c_echo_is_answered_with_success(listener: Running):
    """By DCMTK and by pynetdicom."""
    program = str(find_program("DCMTK", "echoscu"))
    assert run(program, "-aec", "HILUM", "127.0.0.1", str(listener.port)).returncode == 0
    with listener.associated([(VERIFICATION, ExplicitVRLittleEndian)]) as association:
        assert association.send_c_echo().Status == 0


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda one: one.name)
def test_pynetdicom_sends_each_syntax(listener: Running, tmp_path: Path, syntax):
    """The object has a job, and its data set is byte for byte what was sent."""
    path = written(phantom(), tmp_path / "a.dcm", syntax)
    assert listener.send(path) == [0]
    assert is_kept(listener, path)


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda one: one.name)
def test_dcmsend_sends_each_syntax(listener: Running, tmp_path: Path, syntax):
    """The same by a sender that others wrote, which encodes elements in its own way."""
    dataset = phantom()
    path = written(dataset, tmp_path / "a.dcm", syntax)
    done = listener.dcmsend(path)
    assert done.returncode == 0, done.stderr
    assert listener.jobs()[dataset.SOPInstanceUID] == 1
    stored = dcmread(BytesIO(listener.object_of(dataset.SOPInstanceUID)))
    sent = dcmread(path)
    # Uncompressed ones may have changed the order of their bytes.
    assert np.array_equal(stored.pixel_array, sent.pixel_array)
    del stored.PixelData, sent.PixelData
    assert stored == sent


def test_storescu_sends_a_folder(listener: Running, tmp_path: Path):
    """Ten objects over one association are ten jobs of one submission."""
    paths = [written(phantom(seed), tmp_path / "folder" / f"{seed}.dcm") for seed in range(10)]
    program = str(find_program("DCMTK", "storescu"))
    command = ("-aec", "HILUM", "+sd", "127.0.0.1", str(listener.port), str(tmp_path / "folder"))
    assert run(program, *command).returncode == 0
    uids = [str(dcmread(path, stop_before_pixels=True).SOPInstanceUID) for path in paths]
    assert [listener.jobs()[uid] for uid in uids] == [1] * 10
    uid = uids[0]
    ((together,),) = listener.rows(
        "SELECT count(*) FROM instances WHERE study_id ="  # noqa: S608 - a UID of ours
        f" (SELECT study_id FROM instances WHERE sop_instance_uid = '{uid}')"
    )
    assert together == 10


def test_a_data_set_that_is_sent_again_has_one_job(listener: Running, tmp_path: Path):
    """Also behind another file meta group, and by another program."""
    dataset = phantom()
    path = written(dataset, tmp_path / "a.dcm")
    dataset.file_meta.ImplementationVersionName = "ANOTHER"
    again = written(dataset, tmp_path / "b.dcm")
    assert listener.send(path, again, path) == [0, 0, 0]
    assert listener.dcmsend(again).returncode == 0
    assert listener.jobs()[str(dataset.SOPInstanceUID)] == 1


def test_a_stored_file_is_one_that_dicom_programs_read(listener: Running, tmp_path: Path):
    """Pydicom and DCMTK read the file meta group that Hilum wrote."""
    dataset = phantom()
    listener.send(written(dataset, tmp_path / "a.dcm", RLELossless))
    stored = tmp_path / "stored.dcm"
    stored.write_bytes(listener.object_of(str(dataset.SOPInstanceUID)))
    assert dcmread(stored).file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
    assert dcmread(stored).file_meta.TransferSyntaxUID == RLELossless
    assert run(str(find_program("DCMTK", "dcmftest")), str(stored)).returncode == 0


def test_an_unencodable_proposal_is_answered_by_context(listener: Running):
    """A class or a syntax that is not offered is a rejected context, and the others stand."""
    offered = [(DX, "1.2.840.10008.1.2.4.100"), ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2")]
    with listener.associated([(VERIFICATION, "1.2.840.10008.1.2"), *offered]) as association:
        assert len(association.accepted_contexts) == 1
        assert {one.result for one in association.rejected_contexts} == {3, 4}

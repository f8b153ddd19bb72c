"""The file meta group that Hilum writes."""

from __future__ import annotations

import io

import pytest
from pydicom.filereader import dcmread, read_file_meta_info
from pydicom.uid import ExplicitVRLittleEndian

from hilum.adapters.dicom.network import dimse_sender
from hilum.adapters.dicom.phantom_dicom import phantom_dicom
from hilum_listener import offered
from hilum_listener.file_meta import file_meta
from hilum_listener.offered import IMPLEMENTATION_CLASS_UID


@pytest.mark.parametrize("instance", ["1.2.3", "1.2.34", "1." * 31 + "12"])
def test_pydicom_reads_what_was_written(tmp_path, instance):
    """With values of odd and of even length."""
    path = tmp_path / "meta.dcm"
    path.write_bytes(file_meta("1.2.840.10008.5.1.4.1.1.1", instance, ExplicitVRLittleEndian))
    meta = read_file_meta_info(path)
    assert meta.MediaStorageSOPInstanceUID == instance
    assert meta.MediaStorageSOPClassUID == "1.2.840.10008.5.1.4.1.1.1"
    assert meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert meta.ImplementationClassUID == IMPLEMENTATION_CLASS_UID
    assert meta.FileMetaInformationVersion == b"\0\1"


def test_a_data_set_behind_it_is_read():
    """The group's length leads to the first element of the data set."""
    whole = phantom_dicom(256, 256)
    sent = dcmread(io.BytesIO(whole))
    behind = whole[132 + 12 + sent.file_meta.FileMetaInformationGroupLength :]
    head = file_meta(sent.SOPClassUID, sent.SOPInstanceUID, ExplicitVRLittleEndian)
    assert dcmread(io.BytesIO(head + behind)) == sent
    assert head == file_meta(sent.SOPClassUID, sent.SOPInstanceUID, ExplicitVRLittleEndian)


def test_what_is_sent_and_what_is_kept_name_one_implementation():
    """Peers know Hilum by it."""
    assert offered.IMPLEMENTATION_CLASS_UID == dimse_sender.IMPLEMENTATION_CLASS_UID

"""What senders send: small phantoms in many transfer syntaxes, and messages of any content."""

from __future__ import annotations

import io
import subprocess
from typing import TYPE_CHECKING, Any, Final

from pydicom.filereader import dcmread
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dsutils import encode

from hilum.adapters.dicom.phantom_dicom import phantom_dicom
from hilum_stack.server import find_program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydicom import Dataset
    from pynetdicom.association import Association

DX: Final = "1.2.840.10008.5.1.4.1.1.1.1"
CR: Final = "1.2.840.10008.5.1.4.1.1.1"
RAW_DX: Final = "1.2.840.10008.5.1.4.1.1.1.1.1"
SC: Final = "1.2.840.10008.5.1.4.1.1.7"
VERIFICATION: Final = "1.2.840.10008.1.1"

NATIVE: Final = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
COMPRESSED: Final = (RLELossless, JPEGLSLossless, JPEG2000Lossless)
BY_DCMTK: Final = {
    ExplicitVRBigEndian: ("dcmconv", "+tb"),
    DeflatedExplicitVRLittleEndian: ("dcmconv", "+td"),
    JPEGLosslessSV1: ("dcmcjpeg", "+e1", "+un"),
    JPEGBaseline8Bit: ("dcmcjpeg", "+eb", "+un"),
}
SYNTAXES: Final = (*NATIVE, *COMPRESSED, *BY_DCMTK)


def phantom(seed: int = 1, side: int = 256, **elements: Any) -> Dataset:
    """Return a phantom with a UID of its own and some elements changed. None removes one."""
    dataset = dcmread(io.BytesIO(phantom_dicom(side, side, seed)))
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    for keyword, value in elements.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


def written(dataset: Dataset, path: Path, syntax: UID = ExplicitVRLittleEndian) -> Path:
    """Write a data set in a transfer syntax."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if syntax in BY_DCMTK:
        plain = written(dataset, path.with_suffix(".plain"))
        program, *options = BY_DCMTK[syntax]
        command = [str(find_program("DCMTK", program)), *options, str(plain), str(path)]
        subprocess.run(command, check=True, capture_output=True)
        return path
    if syntax in COMPRESSED:
        dataset.compress(syntax, generate_instance_uid=False)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(
        path,
        implicit_vr=syntax.is_implicit_VR,
        little_endian=syntax.is_little_endian,
        enforce_file_format=True,
        overwrite=True,
    )
    return path


def encoded(dataset: Dataset) -> bytes:
    """Return a data set in Explicit VR Little Endian, without a file meta group."""
    content = encode(dataset, is_implicit_vr=False, is_little_endian=True)
    assert content is not None
    return content


def store(
    association: Association,
    data: bytes,
    *,
    sop_class: str,
    instance: str,
    context: int = 0,
) -> tuple[int, str]:
    """Send a C-STORE of any content; status and comment of its answer, or -1 without one."""
    request = C_STORE()
    request.MessageID = 7
    request.Priority = 2
    request.AffectedSOPClassUID = UID(sop_class)
    # The sender's own check would not let a wrong one pass.
    request._affected_sop_instance_uid = UID(instance)  # noqa: SLF001
    request.DataSet = io.BytesIO(data)
    context_id = association.accepted_contexts[context].context_id
    assert context_id is not None
    association._reactor_checkpoint.clear()  # noqa: SLF001 - as the library's own methods do
    association.dimse.send_msg(request, context_id)
    _, answer = association.dimse.get_msg(block=True)
    association._reactor_checkpoint.set()  # noqa: SLF001
    if not isinstance(answer, C_STORE) or answer.Status is None:
        return -1, ""
    return int(answer.Status), str(answer.ErrorComment or "")


def sent_as_they_are(make: Callable[[], Any]) -> Any:
    """Have pynetdicom send files without encoding them again."""
    from pynetdicom import _config  # noqa: PLC0415 - changed here alone

    before = _config.STORE_SEND_CHUNKED_DATASET
    _config.STORE_SEND_CHUNKED_DATASET = True
    try:
        return make()
    finally:
        _config.STORE_SEND_CHUNKED_DATASET = before

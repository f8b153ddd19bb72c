"""The image that a result is of, as its objects refer to it; and what all objects have in common.

UIDs are ``2.25.`` and a digest. An object's is over the site, the image, the model set with its
operating points, the kind, the content and the version of the encoder. Dates are no part of it: the
same result is the same object for ever, and another content has another UID.
"""

from __future__ import annotations

import hashlib
import re
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from highdicom import ContributingEquipment
from pydicom import config, uid
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.valuerep import DA, TM, validate_value

from hilum.adapters.dicom.delivery_context import (
    PATIENT_AND_STUDY,
    encode_data_set,
    read_context,
)
from hilum.adapters.dicom.encoding import codes
from hilum.application.ports.result_encoder import DicomObject
from hilum.domain.destination import ObjectKind
from hilum.domain.errors import ResultNotEncodable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hilum.application.ports.result_encoder import ResultToSend
    from hilum.domain.destination import EncodingOptions
    from hilum.domain.finding import PanelReading, StructuresReading

ENCODER_VERSION: Final = 1
"""Rises with each change after which the same result is encoded as other content."""

NOTICE: Final = "AI, research use only, not for diagnosis"
MANUFACTURER: Final = "Hilum"
MODEL_NAME: Final = "Hilum chest X-ray AI (research use only)"
DESCRIPTIONS: Final = {
    ObjectKind.SR: "AI findings, research use only",
    ObjectKind.SC: "AI image with findings, research use only",
    ObjectKind.GSPS: "AI overlay, research use only",
    ObjectKind.SEG: "AI lung masks, research use only",
    ObjectKind.NO_RESULT: "AI without a result, research use only",
}
"""Series Description: a worklist shows nothing else."""

_SERIES_OFFSETS: Final = {
    ObjectKind.SR: 0,
    ObjectKind.SC: 1,
    ObjectKind.GSPS: 2,
    ObjectKind.SEG: 3,
    ObjectKind.NO_RESULT: 4,
}
_UID: Final = re.compile(r"(?=.{1,64}\Z)(0|[1-9]\d*)(\.(0|[1-9]\d*))+")
_CHECKED: Final = frozenset({"AS", "CS", "DA", "DS", "DT", "IS", "TM"})
_SEXES: Final = frozenset({"M", "F", "O", ""})
_TYPE_2: Final = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"),
    *("StudyID", "AccessionNumber", "ReferringPhysicianName"),
)
_SPACINGS: Final = ("PixelSpacing", "ImagerPixelSpacing")


@dataclass(frozen=True, slots=True)
class Source:
    """An image, as its objects refer to it.

    Attributes:
        header: Its attributes. What is invalid for its VR is empty, except names and numbers.
        sop_class_uid: (0008,0016).
        sop_instance_uid: (0008,0018).
        study_instance_uid: (0020,000D).
        series_instance_uid: (0020,000E); a derived one where the image states none.
        rows: Rows of the stored pixels.
        columns: Columns of the stored pixels.
    """

    header: Dataset = field(repr=False)
    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    rows: int
    columns: int

    def reference(self) -> Dataset:
        """Return the image with its identifiers and geometry, and nothing of the patient."""
        image = Dataset()
        for keyword in _TYPE_2:
            setattr(image, keyword, "")
        image.StudyDate = image.StudyTime = image.PatientBirthDate = None
        image.SOPClassUID, image.SOPInstanceUID = self.sop_class_uid, self.sop_instance_uid
        image.StudyInstanceUID = self.study_instance_uid
        image.SeriesInstanceUID = self.series_instance_uid
        image.Rows, image.Columns = self.rows, self.columns
        return image


def source_of(result: ResultToSend) -> Source:
    """Return the image of a result.

    Raises:
        ResultNotEncodable: Its header has no valid UIDs, or other sizes than were analysed.
    """
    header = _clean(read_context(result.context))
    for keyword in _SPACINGS:
        if keyword in header and not _is_spacing(header.get(keyword)):
            del header[keyword]
    uids = {
        keyword: str(header.get(keyword, "")).strip(" \0")
        for keyword in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
    }
    if not uids["SeriesInstanceUID"]:
        uids["SeriesInstanceUID"] = derived_uid(uids["SOPInstanceUID"], "series")
    for keyword, value in uids.items():
        if not _UID.fullmatch(value):
            raise ResultNotEncodable(f"the image's {keyword} is not a valid UID")
    rows, columns = header.get("Rows"), header.get("Columns")
    analysed = (rows, columns) if result.analysis is None else _size(result)
    if (rows, columns) != analysed:
        raise ResultNotEncodable("the image's header states other rows and columns")
    return Source(
        header,
        uids["SOPClassUID"],
        uids["SOPInstanceUID"],
        uids["StudyInstanceUID"],
        uids["SeriesInstanceUID"],
        int(rows or 0),
        int(columns or 0),
    )


def derived_uid(*parts: str) -> str:
    """Return a UID that follows from texts (PS3.5 annex B.2, with a digest for the UUID)."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def series_uid(result: ResultToSend, source: Source, kind: ObjectKind) -> str:
    """Return the Series Instance UID of a kind: one of each study, and of no other study."""
    return derived_uid(result.site, source.study_instance_uid, "series", kind.value)


def moment_of(result: ResultToSend) -> datetime:
    """Return when the result came about, UTC."""
    if result.analysis is not None:
        return result.analysis.created_at.astimezone(UTC)
    return (result.job.finished_at or result.job.updated_at).astimezone(UTC)


def instance_number(source: Source) -> int:
    """Return the image's Instance Number, 1 where it has no valid one."""
    with suppress(TypeError, ValueError):
        number = int(source.header.get("InstanceNumber") or 1)
        return number if 0 < number < 1 << 31 else 1
    return 1


def common(
    result: ResultToSend, source: Source, kind: ObjectKind, options: EncodingOptions
) -> dict[str, Any]:
    """Return the arguments that every object of highdicom takes. The UID is set at the end."""
    return {
        "series_instance_uid": series_uid(result, source, kind),
        "series_number": options.series_number + _SERIES_OFFSETS[kind],
        "sop_instance_uid": derived_uid("to be set"),
        "instance_number": instance_number(source),
        "manufacturer": MANUFACTURER,
        "series_description": DESCRIPTIONS[kind],
    }


def finish(dataset: Dataset, result: ResultToSend, source: Source, kind: ObjectKind) -> DicomObject:
    """Complete an object and encode it.

    Args:
        dataset: All that is of its kind.
        result: What it is of.
        source: The image.
        kind: What it is.
    """
    patient = _clean(read_context(result.context))
    dataset.pop("SpecificCharacterSet", None)
    for keyword in _TYPE_2:
        setattr(dataset, keyword, None if keyword in dataset else "")
    for tag in PATIENT_AND_STUDY:
        if tag in patient:
            dataset[tag] = patient.get_item(tag)
    _describe_device(dataset, result)
    if dataset.get("Modality") == "SR":
        _name_predecessor(dataset, result, source, kind)
    meta = getattr(dataset, "file_meta", None)
    syntax = uid.ExplicitVRLittleEndian if meta is None else meta.TransferSyntaxUID
    if syntax.is_encapsulated:
        dataset["PixelData"].is_undefined_length = True
    _remove_dates(dataset)
    del dataset.SOPInstanceUID
    encoded = encode_data_set(dataset)
    whole = read_context(encoded)  # sequences stay encoded
    whole.SOPInstanceUID = derived_uid(
        *(result.site, source.sop_instance_uid, _model_set(result), kind.value),
        *(hashlib.sha256(encoded).hexdigest(), str(ENCODER_VERSION)),
    )
    _set_dates(whole, _local(moment_of(result), dataset))
    return DicomObject(
        kind=kind,
        sop_class_uid=str(dataset.SOPClassUID),
        sop_instance_uid=str(whole.SOPInstanceUID),
        transfer_syntax_uid=str(syntax),
        data_set=encode_data_set(whole),
    )


def _size(result: ResultToSend) -> tuple[int, int]:
    assert result.analysis is not None  # noqa: S101 - only asked of a result
    return result.analysis.rows, result.analysis.columns


def _model_set(result: ResultToSend) -> str:
    return result.job.model_set if result.analysis is None else result.analysis.model_set


def _describe_device(dataset: Dataset, result: ResultToSend) -> None:
    """Say which device made it. Each model is a contributing equipment."""
    release = version("hilum")
    dataset.Manufacturer, dataset.ManufacturerModelName = MANUFACTURER, MODEL_NAME
    dataset.SoftwareVersions = release
    dataset.DeviceSerialNumber = result.site
    dataset.ContributingEquipmentSequence = Sequence(
        ContributingEquipment(
            manufacturer=MANUFACTURER,
            purpose_of_reference=codes.PROCESSING,
            manufacturer_model_name=name,
            software_versions=number,
            contribution_description=NOTICE,
        )
        for name, number in _models(result)
    )


def _models(result: ResultToSend) -> list[tuple[str, str]]:
    used: list[PanelReading | StructuresReading] = [] if result.gate is None else [result.gate]
    if result.analysis is not None:
        used += [*result.analysis.panels, *result.analysis.structures]
    named = {(one.model, one.version): None for one in used}
    return list(named) or [(MODEL_NAME, version("hilum"))]


def _name_predecessor(
    dataset: Dataset, result: ResultToSend, source: Source, kind: ObjectKind
) -> None:
    known = result.predecessors.get(kind)
    if known is None:
        return
    sop, series, study = Dataset(), Dataset(), Dataset()
    sop.ReferencedSOPClassUID, sop.ReferencedSOPInstanceUID = known
    series.SeriesInstanceUID = series_uid(result, source, kind)
    series.ReferencedSOPSequence = Sequence([sop])
    study.StudyInstanceUID = source.study_instance_uid
    study.ReferencedSeriesSequence = Sequence([series])
    dataset.PredecessorDocumentsSequence = Sequence([study])


_DATES: Final = ("InstanceCreation", "Content", "PresentationCreation")


def _remove_dates(dataset: Dataset) -> None:
    for name in _DATES:
        for part in ("Date", "Time"):
            if f"{name}{part}" in dataset:
                setattr(dataset, f"{name}{part}", None)
    for keyword in ("SeriesDate", "SeriesTime", "DateOfSecondaryCapture", "TimeOfSecondaryCapture"):
        if keyword in dataset:
            del dataset[keyword]


def _set_dates(dataset: Dataset, moment: datetime) -> None:
    for name in _DATES:
        for part, form in (("Date", "%Y%m%d"), ("Time", "%H%M%S")):
            if f"{name}{part}" in dataset:
                setattr(dataset, f"{name}{part}", moment.strftime(form))


def _local(moment: datetime, dataset: Dataset) -> datetime:
    """Return a moment in the time zone of the object's dates, UTC where it states none."""
    with suppress(ValueError):
        return moment.astimezone(
            datetime.strptime(str(dataset.get("TimezoneOffsetFromUTC") or ""), "%z").tzinfo
        )
    return moment


def _is_spacing(value: object) -> bool:
    with suppress(TypeError, ValueError):
        row, column = (float(part) for part in value)  # type: ignore[attr-defined]  # or no pair
        return row > 0 and column > 0
    return False


def _clean(dataset: Dataset) -> Dataset:
    """Empty what is invalid for its VR, in place. Names, numbers and UIDs stay as they are."""
    for tag in list(dataset.keys()):
        item = dataset.get_item(tag)
        if item is not None and item.VR == "SQ":
            for each in dataset[tag].value:
                _clean(each)
        elif (
            isinstance(item, RawDataElement)
            and item.VR in _CHECKED
            and not all(map(_valid, *_parts(item)))
        ):
            dataset[tag] = DataElement(tag, item.VR, None)
    sex = str(dataset.get("PatientSex") or "")
    if sex not in _SEXES:
        dataset.PatientSex = None
    return dataset


def _parts(item: RawDataElement) -> Iterator[list[str]]:
    texts = (item.value or b"").decode("latin-1").split("\\")
    yield [item.VR or ""] * len(texts)
    yield [text.strip(" \0") for text in texts]


def _valid(vr: str, text: str) -> bool:
    if not text:
        return True
    try:
        validate_value(vr, text, config.RAISE)
        if vr == "DA":
            return DA(text) is not None
        if vr == "TM":
            return TM(text) is not None
        if vr == "DS":
            return float(text) == float(text)
    except (ValueError, TypeError, OverflowError, struct.error):
        return False
    return True

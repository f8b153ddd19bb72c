"""Segmentation: the lungs as the model outlined them, binary, in the stored pixel matrix."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import numpy as np
from highdicom import AlgorithmIdentificationSequence
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentDescription
from PIL import Image, ImageDraw
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless

from hilum.adapters.dicom.encoding import codes
from hilum.adapters.dicom.encoding.source import (
    MANUFACTURER,
    MODEL_NAME,
    NOTICE,
    common,
    derived_uid,
)
from hilum.domain.destination import ObjectKind

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from hilum.adapters.dicom.encoding.source import Source
    from hilum.application.ports.result_encoder import ResultToSend
    from hilum.domain.destination import EncodingOptions
    from hilum.domain.finding import Structure, StructuresReading

_LUNGS: Final = {"right_lung": codes.RIGHT_LUNG, "left_lung": codes.LEFT_LUNG}


def segmentation(result: ResultToSend, source: Source, options: EncodingOptions) -> Dataset | str:
    """Make the masks of the lungs of a completed job."""
    analysis = result.analysis
    lungs = [
        (reading, structure)
        for reading in (() if analysis is None else analysis.structures)
        for structure in reading.structures
        if structure.label in _LUNGS and structure.outlines
    ]
    if not lungs:
        return "no lung was outlined"
    image = source.reference()
    image.SpecificCharacterSet = "ISO_IR 100"
    image.Modality = "DX"
    image.PatientAge = None
    masks = np.stack([mask_of(structure, source) for _, structure in lungs], axis=-1)
    syntax = JPEG2000Lossless if options.jpeg_2000_seg else ExplicitVRLittleEndian
    made: Dataset = Segmentation(
        source_images=[image],
        pixel_array=masks[None],
        segmentation_type="BINARY",
        segment_descriptions=[
            _segment(number, *one, source) for number, one in enumerate(lungs, 1)
        ],
        manufacturer_model_name=MODEL_NAME,
        software_versions=version("hilum"),
        device_serial_number=result.site,
        content_description=NOTICE,
        content_creator_name=f"{MANUFACTURER}^",
        content_label="AI_LUNGS",
        transfer_syntax_uid=syntax,
        omit_empty_frames=False,
        **common(result, source, ObjectKind.SEG, options),
    )
    # The image has no slice thickness, without which highdicom cannot read pixel measures.
    shared = made.SharedFunctionalGroupsSequence[0]
    shared.pop("PixelMeasuresSequence", None)
    made.PatientOrientation = None
    organization = derived_uid(source.sop_instance_uid, "dimensions")
    for item in (*made.DimensionOrganizationSequence, *made.DimensionIndexSequence):
        item.DimensionOrganizationUID = organization
    return made


def mask_of(structure: Structure, source: Source) -> NDArray[np.uint8]:
    """Return a structure as a mask, uint8 [rows, columns] of 0 and 1."""
    mask = Image.new("L", (source.columns, source.rows))
    pen = ImageDraw.Draw(mask)
    for outline in structure.outlines:
        # Pillow's coordinates are those of pixel centres, ours begin at a pixel's corner.
        pen.polygon([(x - 0.5, y - 0.5) for x, y in outline], fill=1)
    return np.asarray(mask, dtype=np.uint8)


def _segment(
    number: int, reading: StructuresReading, structure: Structure, source: Source
) -> SegmentDescription:
    return SegmentDescription(
        segment_number=number,
        segment_label=structure.display.encode("ascii", "replace").decode()[:64],
        segmented_property_category=codes.ANATOMY,
        segmented_property_type=_LUNGS[structure.label],
        algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=AlgorithmIdentificationSequence(
            name=f"{MANUFACTURER} {reading.model}",
            family=codes.AI_FAMILY,
            version=reading.version,
        ),
        tracking_uid=derived_uid(source.sop_instance_uid, structure.label),
        tracking_id=structure.label,
    )

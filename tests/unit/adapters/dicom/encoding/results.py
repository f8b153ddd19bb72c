"""Images with all kinds of headers, and a result of each, to encode."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset

from hilum.adapters.dicom.delivery_context import context_of
from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.adapters.dicom.phantom_dicom import phantom_dicom
from hilum.application.ports.result_encoder import ResultToSend
from hilum.domain.finding import (
    Analysis,
    Box,
    CardiothoracicRatio,
    Finding,
    Heatmap,
    PanelReading,
    Structure,
    StructuresReading,
)
from hilum.domain.impression import Impression, ImpressionKind, NamedFinding
from hilum.domain.job import Job, JobState
from hilum.domain.model import CodedConcept, Rank
from hilum.domain.work import Priority, Reason
from hilum.imaging.film import FilmLimits

NOW = datetime(2026, 12, 1, 8, 30, tzinfo=UTC)
SIDE = 256
BOX = Box(40.0, 60.0, 50.0, 70.0, 2.0)
TUBERCULOSIS = Finding(
    "tuberculosis",
    "Tuberculosis",
    0.91,
    0.6,
    positive=True,
    abnormal=True,
    weak=False,
    code=CodedConcept("SCT", "154283005", "Tuberculosis"),
    heatmap=True,
    boxes=(BOX, Box(150.0, 60.0, 30.0, 30.0, 1.0)),
)
OTHER = Finding(
    "other_abnormal", "Other abnormality", 0.05, 0.5, positive=False, abnormal=True, weak=False
)
EXPERIMENTAL = Finding(
    "covid19",
    "COVID-19",
    0.4,
    None,
    positive=None,
    abnormal=True,
    weak=True,
    rank=Rank.EXPERIMENTAL,
    reason="experimental_label",
)


def image(**attributes: Any) -> bytes:
    """Return a phantom with these attributes; None removes one."""
    dataset = dcmread(io.BytesIO(phantom_dicom(SIDE, SIDE)))
    for keyword, value in attributes.items():
        if value is None:
            if keyword in dataset:
                del dataset[keyword]
        else:
            setattr(dataset, keyword, value)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    written = io.BytesIO()
    dataset.save_as(written, enforce_file_format=True)
    return written.getvalue()


def job(**changes: Any) -> Job:
    known: dict[str, Any] = {
        "id": UUID(int=1),
        "study_id": UUID(int=2),
        "instance_id": UUID(int=3),
        "filename": "x.dcm",
        "state": JobState.COMPLETED,
        "model_set": "m" * 64,
        "idempotency_key": "k",
        "site": "north",
        "priority": Priority.ROUTINE,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Job(**known | changes)


def _ellipse(x: float) -> tuple[tuple[float, float], ...]:
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    return tuple((x + 40 * np.cos(angle), 128 + 80 * np.sin(angle)) for angle in angles)


def analysis(**changes: Any) -> Analysis:
    """Return findings of every verdict, a heatmap and lungs."""
    panel = PanelReading(
        "tuberculosis",
        "chest",
        "0.3.0",
        (TUBERCULOSIS, OTHER, EXPERIMENTAL),
        "Tuberculosis",
        caution="Not for screening.",
    )
    lungs = (
        Structure("right_lung", "Right lung", (_ellipse(80.0),), 0.15),
        Structure("left_lung", "Left lung", (_ellipse(176.0),), 0.15),
    )
    named = NamedFinding("tuberculosis", "tuberculosis", "Tuberculosis", 0.91)
    known: dict[str, Any] = {
        "job_id": UUID(int=1),
        "model_set": "m" * 64,
        "panels": (panel,),
        "heatmaps": (),
        "rows": SIDE,
        "columns": SIDE,
        "created_at": NOW,
        "structures": (StructuresReading("lungs", "lungs", "0.3.0", lungs, CardiothoracicRatio()),),
        "impression": Impression(ImpressionKind.FINDING, (named,), "", "Finding: tuberculosis."),
    }
    return Analysis(**known | changes)


def result(content: bytes | None = None, **changes: Any) -> ResultToSend:
    """Return the result of an image, of a phantom by default."""
    content = content or image()
    context = context_of(content)
    assert context is not None
    known: dict[str, Any] = {
        "site": "north",
        "job": job(),
        "context": context,
        "analysis": analysis(),
        "film": DicomFilmReader(FilmLimits()).read(content, for_processing=True),
        "heatmaps": {
            ("tuberculosis", "tuberculosis"): Heatmap(
                "tuberculosis", "tuberculosis", 2, 2, bytes([255, 0, 0, 0]), 0.01
            )
        },
    }
    return ResultToSend(**known | changes)


def without_result(content: bytes | None = None) -> ResultToSend:
    """Return a rejected job."""
    rejected = job(state=JobState.REJECTED, reason=Reason("not_a_frontal_chest_xray", "a hand"))
    return replace(result(content), job=rejected, analysis=None, film=None)


def _request() -> Dataset:
    request = Dataset()
    request.RequestedProcedureID, request.ScheduledProcedureStepID = "R1", "S1"
    request.add_new("ScheduledProcedureStepStartDate", "DA", "20261399")
    return request


HEADERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "no birth date": {"PatientBirthDate": None},
    "long accession number": {"AccessionNumber": "A" * 64},
    "UTF-8": {"SpecificCharacterSet": "ISO_IR 192", "PatientName": "Åse^Ünal^日本"},
    "Japanese": {
        "SpecificCharacterSet": ["", "ISO 2022 IR 87"],
        "PatientName": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    },
    "Cyrillic": {"SpecificCharacterSet": "ISO_IR 144", "PatientName": "Иванов^Иван"},
    "for processing": {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1.1",
        "PresentationIntentType": "FOR PROCESSING",
    },
    "computed radiography": {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1", "Modality": "CR"},
    "MONOCHROME1": {"PhotometricInterpretation": "MONOCHROME1"},
    "no body part": {"BodyPartExamined": None},
    "age without a unit": {"PatientAge": "62"},
    "zero spacing": {"PixelSpacing": [0, 0], "ImagerPixelSpacing": [0, 0]},
    "damaged request": {"RequestAttributesSequence": [_request()]},
    "time zone": {"TimezoneOffsetFromUTC": "+0900"},
}
"""Attributes of images as hospitals send them."""


def header(dataset: Dataset, keyword: str) -> str:
    return str(dataset.get(keyword) or "")

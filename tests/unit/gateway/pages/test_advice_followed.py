"""Every advice text, followed: the image is completed, as the text promises.

The files are read by the reader that ships; models are small.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import MPEG2MPML

from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.adapters.dicom.phantom_dicom import phantom_dicom
from hilum.application.submission import RefusedFile, SubmissionLimits
from hilum.application.use_cases.site_rules import ManageSiteRules
from hilum.domain.errors import DecoderCrashed, InferenceFailed, InferenceUnavailable, TooManyFiles
from hilum.domain.job import JobState
from hilum.domain.principal import DEFAULT_SITE
from hilum.domain.site_rule import ACCEPT, REFUSE, Rule
from hilum.imaging.budget import BUDGET
from hilum.imaging.film import FilmLimits
from hilum.imaging.phantom import phantom_film
from hilum_gateway.pages.advice import ADVICE, PARKED, advice
from tests.fakes.model_catalogue import whole_set
from tests.unit.application.stage import ME, Stage, key

if TYPE_CHECKING:
    from collections.abc import Callable

    from hilum.imaging.film import Film

SIDE = 300
MAX_BYTES = 450_000
ALL_FILES = 3


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


RADIOGRAPH = png(phantom_film(SIDE, SIDE, 1))
DICOM = phantom_dicom(SIDE, SIDE)


def changed(change: Callable[[Dataset], None]) -> bytes:
    """The phantom as a DICOM file with other attributes."""
    dataset = dcmread(io.BytesIO(DICOM))
    change(dataset)
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def as_video(dataset: Dataset) -> None:
    dataset.file_meta.TransferSyntaxUID = MPEG2MPML
    dataset.PixelData = encapsulate([b"\0\0\1\xb3" * 8])


def tinted() -> bytes:
    grey = phantom_film(SIDE, SIDE, 1)
    return png(np.stack([grey, 255 - grey, grey // 2], axis=-1))


def noise(side: int) -> bytes:
    return png(np.random.default_rng(1).integers(0, 256, (side, side)).astype(np.uint8))


def nested(dataset: Dataset) -> None:
    """Sequences in one another, as a broken converter writes them."""
    inner = Dataset()
    for _ in range(BUDGET.depth + 1):
        outer = Dataset()
        outer.ContentSequence = [inner]
        inner = outer
    dataset.ContentSequence = [inner]


def many_scans() -> bytes:
    """A progressive JPEG whose last scan stands there again and again."""
    file = io.BytesIO()
    Image.fromarray(phantom_film(256, 256, 1)).save(file, "jpeg", progressive=True, quality=5)
    whole = file.getvalue()
    last, end = whole.rindex(b"\xff\xda"), whole.rindex(b"\xff\xd9")
    return whole[:end] + whole[last:end] * BUDGET.scans + whole[end:]


def much_memory() -> bytes:
    """A PNG whose EXIF entries all point at the same 300 KB."""
    count, length = 1200, 300_000
    entries = (struct.pack("<HHLL", tag, 1, length - 8, 8) for tag in range(1, count + 1))
    head = b"II*\0\x08\0\0\0" + struct.pack("<H", count) + b"".join(entries)
    body = b"eXIf" + head.ljust(length, b"\0")
    chunk = struct.pack(">L", length) + body + struct.pack(">L", zlib.crc32(body))
    return RADIOGRAPH[:33] + chunk + RADIOGRAPH[33:]


CRASHES = changed(lambda d: setattr(d, "SeriesNumber", 13))


class Reader(DicomFilmReader):
    """The reader that ships, with one file over which its decoder crashes."""

    def read(self, data: bytes, *, for_processing: bool = False) -> Film:
        if data == CRASHES:
            raise DecoderCrashed("The decoder ended over the image.")
        return super().read(data, for_processing=for_processing)


REFUSED: dict[str, tuple[bytes, bytes]] = {
    "unsupported_format": (b"a letter", RADIOGRAPH),
    "unsupported_transfer_syntax": (
        changed(as_video),
        DICOM,
    ),
    "unreadable_film": (RADIOGRAPH[:60] + b"\0" * 900 + RADIOGRAPH[960:], RADIOGRAPH),
    "truncated_film": (DICOM[: len(DICOM) // 2], DICOM),
    "not_an_image": (changed(lambda d: d.__delitem__("PixelData")), DICOM),
    "multi_frame": (changed(lambda d: setattr(d, "NumberOfFrames", 2)), DICOM),
    "colour_film": (tinted(), RADIOGRAPH),
    "blank_rendering": (changed(lambda d: setattr(d, "WindowCenter", 60000)), DICOM),
    "not_a_frontal_chest_xray": (png(np.full((SIDE, SIDE), 250, np.uint8)), RADIOGRAPH),
    "for_processing": (
        changed(lambda d: setattr(d, "PresentationIntentType", "FOR PROCESSING")),
        DICOM,
    ),
    "nested_too_deep": (changed(nested), DICOM),
    "too_many_scans": (many_scans(), RADIOGRAPH),
    "working_memory": (much_memory(), RADIOGRAPH),
    "decoder_crashed": (CRASHES, DICOM),
    "film_too_small": (png(phantom_film(256, 256, 1)[:40, :40]), RADIOGRAPH),
    "file_too_large": (noise(700), RADIOGRAPH),
    "too_many_pixels": (png(np.zeros((1100, 1100), np.uint8)), RADIOGRAPH),
}
"""What is refused by its code, and what the advice then asks for."""


@pytest.fixture
def stage() -> Stage:
    limits = FilmLimits(max_bytes=MAX_BYTES, max_pixels=1_000_000)
    return Stage(
        models=whole_set(),
        reader=Reader(limits),
        limits=SubmissionLimits(MAX_BYTES, ALL_FILES),
    )


def completed(stage: Stage, content: bytes) -> bool:
    """Send an image and have it read."""
    (file,) = stage.send(content).accepted
    stage.analyse(file.job.id)
    return stage.job(file.job.id).state is JobState.COMPLETED


@pytest.mark.parametrize("code", list(REFUSED))
def test_an_image_that_is_sent_as_the_advice_says_is_completed(stage, code):
    """It is refused at the door or by the worker before, with that code."""
    bad, good = REFUSED[code]
    (file,) = stage.send(bad).files
    if isinstance(file, RefusedFile):
        found = file.error.code
    else:
        stage.analyse(file.job.id)
        reason = stage.job(file.job.id).reason
        found = reason.code if reason else ""
    assert found == code
    assert completed(stage, good)


def test_a_raw_image_is_completed_once_its_site_accepts_it(stage):
    """Refused at the door, or by a worker after the rule changed; the same file is sent again."""
    raw = REFUSED["for_processing"][0]
    rules = ManageSiteRules(unit_of_work=stage.unit_of_work, clock=stage.clock)
    rules.decide(DEFAULT_SITE, Rule.FOR_PROCESSING, ACCEPT, ME)
    (file,) = stage.send(raw).accepted
    rules.decide(DEFAULT_SITE, Rule.FOR_PROCESSING, REFUSE, ME)
    stage.analyse(file.job.id)
    assert stage.job(file.job.id).reason.code == "for_processing"
    assert isinstance(stage.send(raw).files[0], RefusedFile)
    rules.decide(DEFAULT_SITE, Rule.FOR_PROCESSING, ACCEPT, ME)
    assert completed(stage, raw)


def too_many(stage: Stage) -> str:
    """Fewer images at a time."""
    with pytest.raises(TooManyFiles) as refusal:
        stage.send(*[RADIOGRAPH] * (ALL_FILES + 1))
    assert completed(stage, RADIOGRAPH)
    return advice(refusal.value.code)


def an_outage(stage: Stage) -> str:
    """Nothing has to be done."""
    job = stage.queued(RADIOGRAPH)
    stage.engine.available = False
    stage.analyse(job.id)
    reason = stage.job(job.id).reason
    stage.engine.available = True
    stage.advance(3600)
    stage.reconcile()
    stage.analyse(job.id)
    assert stage.job(job.id).state is JobState.COMPLETED
    return advice(reason.code)


def a_lost_file(stage: Stage) -> str:
    """Sending the image again."""
    job = stage.queued(RADIOGRAPH)
    stage.store.objects.clear()
    stage.analyse(job.id)
    assert stage.job(job.id).state is JobState.FAILED
    told = advice(stage.job(job.id).reason.code, parked=True)
    assert completed(stage, RADIOGRAPH)
    assert stage.job(job.id).state is JobState.COMPLETED
    return told


def a_defect(stage: Stage) -> str:
    """An operator tries again once the cause is fixed."""
    job = stage.queued(RADIOGRAPH)
    stage.engine.failure = InferenceFailed("a defect")
    stage.analyse(job.id)
    stage.engine.failure = None
    told = advice(stage.job(job.id).reason.code, parked=True)
    stage.operate.retry(job.id, key(), "r")
    stage.analyse(job.id)
    assert stage.job(job.id).state is JobState.COMPLETED
    return told


def all_attempts_used(stage: Stage) -> str:
    """An operator tries again; one that was discarded is sent again."""
    job = stage.queued(RADIOGRAPH)
    failures = [InferenceUnavailable("too slow")] * stage.policy.max_attempts

    def fail() -> None:
        if failures:
            raise failures.pop()

    stage.fail_on_images(fail)
    while failures:
        stage.advance(3600)
        stage.reconcile()
        stage.analyse(job.id)
    assert stage.job(job.id).state is JobState.FAILED
    told = advice(stage.job(job.id).reason.code, parked=True)
    stage.operate.discard(job.id, key(), "r")
    assert completed(stage, RADIOGRAPH)
    return told


def a_cancelled_job(stage: Stage) -> str:
    """The same image gets a new job."""
    job = stage.queued(RADIOGRAPH)
    ended = stage.operate.cancel(job.id, "sent by mistake", key(), "r")
    assert completed(stage, RADIOGRAPH)
    return advice(ended.reason.code)


SCENARIOS = (too_many, an_outage, a_lost_file, a_defect, all_attempts_used, a_cancelled_job)
LIKE_ANOTHER = {
    ADVICE["limit_exceeded"]: "an image in a smaller size, as for too_many_pixels",
}
"""Texts of codes that stand for a family, and never for an image."""


@pytest.mark.parametrize("follow", SCENARIOS, ids=lambda follow: follow.__name__)
def test_what_is_no_fault_of_the_image_ends_as_the_advice_says(stage, follow):
    """And the advice is one of those that a page shows."""
    assert follow(stage) in {*ADVICE.values(), PARKED}


def test_every_advice_text_is_followed():
    """A new text needs a new scenario."""
    followed = {advice(code) for code in REFUSED}
    followed |= {follow(stage.__wrapped__()) for follow in SCENARIOS}
    assert followed | set(LIKE_ANOTHER) == {*ADVICE.values(), PARKED}

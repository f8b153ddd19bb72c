"""Which files are the same image: by their content, not by what a sender writes before it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from hilum.adapters.dicom.film_reader import DicomFilmReader
from hilum.adapters.dicom.phantom_dicom import phantom_dicom
from hilum.application.intake.submission import IncomingFile, SubmissionFields, SubmissionLimits
from hilum.application.intake.upload import Upload
from hilum.domain.sent_again import Outcome
from hilum.imaging.film import FilmLimits
from tests.unit.application.stage import Stage, key

if TYPE_CHECKING:
    from pydicom import Dataset

IMAGE = phantom_dicom(256, 256)


@pytest.fixture
def stage() -> Stage:
    reader = DicomFilmReader(FilmLimits())
    return Stage(reader=reader, limits=SubmissionLimits(10_000_000, 9))


def written(syntax: str = ExplicitVRLittleEndian, **meta: str) -> bytes:
    """The image with another file meta group."""
    return saved(dcmread(io.BytesIO(IMAGE)), syntax, **meta)


def saved(dataset: Dataset, syntax: str = ExplicitVRLittleEndian, **meta: str) -> bytes:
    dataset.file_meta.TransferSyntaxUID = syntax
    for name, value in meta.items():
        setattr(dataset.file_meta, name, value)
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def bare(content: bytes) -> bytes:
    """Only the data set, as some archives keep it."""
    return content[DicomFilmReader(FilmLimits()).inspect(content, len(content)).content_at :]


OTHER_META = written(
    ImplementationVersionName="ANOTHER_SENDER", SourceApplicationEntityTitle="MODALITY"
)


@pytest.mark.parametrize(
    "content", [OTHER_META, bare(IMAGE)], ids=["another sender", "no meta group"]
)
def test_the_same_data_set_behind_another_meta_group_is_one_job(stage, content):
    """It is analysed once, and one object is kept."""
    assert content != IMAGE
    first, again = (stage.send(one).files[0] for one in (IMAGE, content))
    assert (first.job.id, again.outcome) == (again.job.id, Outcome.KNOWN)
    assert list(stage.store.objects.values()) == [IMAGE]


def test_one_other_pixel_is_another_image(stage):
    """With the same meta group and the same UID."""
    dataset = dcmread(io.BytesIO(IMAGE))
    pixels = np.frombuffer(dataset.PixelData, np.uint16).copy()
    pixels[1000] ^= 1
    dataset.PixelData = pixels.tobytes()
    outcomes = [stage.send(one).files[0].outcome for one in (IMAGE, saved(dataset))]
    assert outcomes == [Outcome.NEW, Outcome.NEW]


def test_another_encoding_is_another_image(stage):
    """The bytes of its data set say something else under another transfer syntax."""
    deflated = written(DeflatedExplicitVRLittleEndian)
    outcomes = [stage.send(one).files[0].outcome for one in (IMAGE, deflated)]
    assert outcomes == [Outcome.NEW, Outcome.NEW]


def test_the_bytes_that_are_kept_have_their_own_digest(stage):
    """A file with another meta group that takes the place of one that is gone is whole."""
    job = stage.send(IMAGE).files[0].job
    stage.store.objects.clear()
    assert stage.send(OTHER_META).files[0].outcome is Outcome.RESTORED
    with stage.unit_of_work.begin(write=False) as transaction:
        kept = transaction.submissions.instance(job.instance_id)
    upload = Upload([OTHER_META], 10_000_000)
    assert b"".join(upload) == OTHER_META
    assert (kept.sha256, kept.size_bytes) == (upload.sha256, upload.size)
    stage.analyse(job.id)
    assert stage.result(job.id) is not None


@pytest.mark.parametrize("cut", [1, 100, 400, 5000])
@pytest.mark.parametrize("at", [0, 1, 132, 399, 400, 9_999])
def test_however_the_bytes_are_cut_the_content_is_the_same(at, cut):
    """Chunk borders mean nothing to where the content begins."""
    pieces = [IMAGE[start : start + cut] for start in range(0, 12_000, cut)]
    upload, whole = Upload(pieces, 10**9), Upload([b"".join(pieces)[at:]], 10**9)
    upload.content_begins(at)
    for one in (upload, whole):
        list(one)
    assert upload.content_sha256 == whole.sha256


def test_names_of_files_mean_nothing(stage):
    """The same bytes under another name are one job."""
    files = [IncomingFile(name, [IMAGE]) for name in ("a.dcm", "b")]
    sent = stage.submit(files, SubmissionFields, key(), "r")
    assert [file.outcome for file in sent.files] == [Outcome.NEW, Outcome.KNOWN]

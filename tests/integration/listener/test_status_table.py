"""Each row of the table of answers, caused for real."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from tests.integration.listener.running import SITE, Running, rejection_of
from tests.integration.listener.senders import CR, DX, RAW_DX, encoded, phantom, store, written
from tests.servers import run_folder
from tests.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom import Dataset

pytestmark = pytest.mark.real

WITHIN_S = 10.0
CONTEXTS = [(DX, ExplicitVRLittleEndian), (RAW_DX, ExplicitVRLittleEndian)]


def answer(
    listener: Running, dataset: Dataset, *, cut: int | None = None, **command: Any
) -> tuple[int, str, str]:
    """Send a data set under a command; status, comment and the code of its newest refusal."""
    told = {"sop_class": DX, "instance": str(dataset.SOPInstanceUID), **command}
    with listener.associated(CONTEXTS) as association:
        status, comment = store(association, encoded(dataset)[:cut], **told)
    kept = listener.refusals()
    return status, comment, kept[-1][1] if kept else ""


def test_an_object_that_was_sent_before_is_answered_with_success(listener: Running):
    """Nothing is kept twice."""
    dataset = phantom()
    assert answer(listener, dataset)[0] == answer(listener, dataset)[0] == 0x0000
    assert listener.jobs()[dataset.SOPInstanceUID] == 1


@pytest.mark.parametrize(
    ("elements", "command"),
    [
        ({}, {"instance": generate_uid()}),
        ({"SOPClassUID": CR}, {}),
        ({}, {"sop_class": RAW_DX}),
        ({}, {"instance": "1.2.826.0.1..5"}),
        ({"SOPClassUID": None}, {}),
    ],
    ids=["another instance", "another class", "another context", "dots", "no class"],
)
def test_identifiers_that_differ_are_answered_with_a900(listener: Running, elements, command):
    """And refused with a row."""
    status, comment, code = answer(listener, phantom(**elements), **command)
    assert (status, code) == (0xA900, "wrong_identifiers")
    assert comment.startswith("wrong_identifiers: ")
    assert len(comment) <= 64


def test_a_data_set_without_instance_uid_is_answered_with_a900(listener: Running):
    """Whatever the command names."""
    dataset = phantom()
    instance = str(dataset.SOPInstanceUID)
    del dataset.SOPInstanceUID
    with listener.associated(CONTEXTS) as association:
        status, _ = store(association, encoded(dataset), sop_class=DX, instance=instance)
    assert (status, listener.refusals()[-1]) == (
        0xA900,
        (f"{instance}.dcm", "wrong_identifiers"),
    )


def test_an_object_without_pixels_is_answered_with_a900(listener: Running):
    """It is no image."""
    assert answer(listener, phantom(PixelData=None))[0::2] == (0xA900, "not_an_image")


@pytest.mark.parametrize(
    ("elements", "cut", "code"),
    [
        ({}, 60_000, "truncated_film"),
        ({}, 700, "truncated_film"),
        ({"NumberOfFrames": 2}, None, "multi_frame"),
        ({"Rows": 20_000, "Columns": 20_000}, None, "too_many_pixels"),
        ({"Rows": 32, "Columns": 32}, None, "film_too_small"),
        ({"PresentationIntentType": "FOR PROCESSING"}, None, "for_processing"),
    ],
    ids=["half the pixels", "half the header", "frames", "pixels", "small", "site's rule"],
)
def test_an_object_that_is_refused_is_answered_with_c000(listener: Running, elements, cut, code):
    """With a comment that names no patient, and a row."""
    dataset = phantom(PatientName="Doe^Jane", PatientID="4711", **elements)
    status, comment, kept = answer(listener, dataset, cut=cut)
    assert (status, kept) == (0xC000, code)
    assert comment.startswith(f"{code}: ")
    assert len(comment) <= 64
    assert not {"Doe", "4711"} & {*comment.replace("^", " ").split()}


def test_bytes_that_are_no_data_set_are_answered_with_c000(listener: Running):
    """They are unreadable."""
    with listener.associated(CONTEXTS) as association:
        status, comment = store(association, b"x" * 500, sop_class=DX, instance=generate_uid())
    assert (status, listener.refusals()[-1][1]) == (0xC000, "unreadable_film")
    assert comment.startswith("unreadable_film: ")


def test_a_rule_of_the_site_answers_what_is_not_for_us_with_success(listener: Running):
    """Only the refusal is kept. What is damaged is still answered with its failure."""
    raw = phantom(PresentationIntentType="FOR PROCESSING")
    before = len(listener.refusals())
    listener.command("rules", "set", "not_for_us", "success", "--site", SITE)
    try:
        assert answer(listener, raw) == (0x0000, "", "for_processing")
        assert answer(listener, phantom(), cut=60_000)[0] == 0xC000
    finally:
        listener.command("rules", "set", "not_for_us", "failure", "--site", SITE)
    assert answer(listener, raw)[0] == 0xC000
    assert len(listener.refusals()) == before + 3
    assert str(raw.SOPInstanceUID) not in listener.jobs()


def test_an_object_store_that_is_down_is_answered_with_a700(listener: Running):
    """Within 10 s, without a row; once it is back the object is taken."""
    dataset = phantom()
    folder, away = listener.folder / "objects", listener.folder / "away"
    before = len(listener.refusals())
    folder.rename(away)
    folder.touch()
    try:
        began = time.monotonic()
        assert answer(listener, dataset)[0] == 0xA700
        assert time.monotonic() - began < WITHIN_S
    finally:
        folder.unlink()
        away.rename(folder)
    assert len(listener.refusals()) == before
    assert answer(listener, dataset)[0] == 0x0000


def test_a_database_that_is_down_is_answered_with_a700(listener: Running):
    """Within 10 s: another process holds the lock of SQLite."""
    dataset = phantom()
    with (
        listener.associated(CONTEXTS) as association,
        closing(sqlite3.connect(listener.folder / "hilum.db", isolation_level=None)) as holder,
    ):
        uid = str(dataset.SOPInstanceUID)
        holder.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        status, _ = store(association, encoded(dataset), sop_class=DX, instance=uid)
        assert (status, time.monotonic() - began < WITHIN_S) == (0xA700, True)
        holder.execute("ROLLBACK")
        assert store(association, encoded(dataset), sop_class=DX, instance=uid)[0] == 0x0000
    assert listener.jobs()[uid] == 1


def test_an_unknown_called_ae_is_rejected_for_good(listener: Running):
    """1/1/7, and a record."""
    assert rejection_of(listener.associate(called="OTHER")) == (1, 1, 7)
    rejected = ("rejected", "unknown_called_ae")
    wait_for(lambda: rejected in listener.associations(), "the record")


def test_too_many_associations_are_rejected_for_the_moment_and_unknown_callers_for_good():
    """2/3/2 and 1/1/3. One that ends makes room."""
    limits = {"HILUM_LISTENER_PROCESSES": 1, "HILUM_LISTENER_MAX_ASSOCIATIONS": 2}
    with run_folder() as folder:
        listener = Running(folder, **limits)
        with listener.server.launch():
            first, second = listener.associate(), listener.associate()
            assert rejection_of(listener.associate()) == (2, 3, 2)
            first.release()
            wait_for(lambda: listener.associate().is_established, "room")
            second.release()
        listener = Running(folder, strangers=False, **limits)
        with listener.server.launch():
            assert rejection_of(listener.associate()) == (1, 1, 3)


def test_a_peer_sends_to_its_site():
    """As a principal of its AE title. From another network it is unknown."""
    with run_folder() as folder:
        listener = Running(folder, strangers=False)
        listener.command("pacs", "peers", "add", "SENDER", "--site", "south")
        listener.command("pacs", "peers", "add", "FAR", "--site", "west", "--network", "10.0.0.0/8")
        with listener.server.launch():
            assert answer(listener, phantom())[0] == 0x0000
            assert rejection_of(listener.associate(calling="FAR")) == (1, 1, 3)
            wait_for(lambda: len(listener.associations()) == 2, "records")
        assert listener.rows(
            "SELECT site, principal_kind, principal_id, calling_ae, source FROM submissions"
        ) == [("south", "ae_title", "SENDER", "SENDER", "dicom")]
        assert listener.rows(
            "SELECT calling_ae, site, outcome, reason, stored FROM associations ORDER BY calling_ae"
        ) == [
            ("FAR", None, "rejected", "unknown_caller", 0),
            ("SENDER", "south", "accepted", None, 1),
        ]


def test_a_peer_that_is_not_admitted_is_no_stranger():
    """Where strangers are let in to one site, it would bring another site's images there."""
    with run_folder() as folder:
        listener = Running(folder)
        listener.command("pacs", "peers", "add", "FAR", "--site", "west", "--network", "10.0.0.0/8")
        listener.command("pacs", "peers", "add", "MUTE", "--site", "west", "--may-not-send")
        with listener.server.launch():
            for calling in ("FAR", "MUTE"):
                assert rejection_of(listener.associate(calling=calling)) == (1, 1, 3)
            assert listener.associate(calling="NEW").is_established


def test_an_object_over_the_limit_is_answered_with_c000(tmp_path: Path):
    """It is read to its end and not kept; the association goes on."""
    with run_folder() as folder:
        listener = Running(folder, HILUM_IMAGE_MAX_BYTES=200_000)
        with listener.server.launch():
            large, small = phantom(side=512), phantom()
            statuses = listener.send(
                written(large, tmp_path / "large.dcm"), written(small, tmp_path / "small.dcm")
            )
            assert statuses == [0xC000, 0x0000]
            assert listener.refusals() == [(f"{large.SOPInstanceUID}.dcm", "file_too_large")]

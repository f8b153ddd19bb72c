"""A result on its way: what is sent, refused, waited for, and sent again."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from pydicom.uid import ImplicitVRLittleEndian

from hilum.adapters.dicom.delivery_context import context_of, read_context
from hilum.application.ports.deliveries import DeliveryFilter
from hilum.application.ports.pacs import Answer
from hilum.application.retention.expire_films import ExpireFilms, RetentionRule
from hilum.domain.delivery import DeliveryState, ObjectState
from hilum.domain.destination import ObjectKind, When
from hilum.domain.errors import DestinationRefuses, DestinationUnavailable, NotFound, NotPermitted
from hilum.domain.impression import ImpressionKind
from hilum.domain.job import JobState
from hilum.domain.principal import Role
from tests.unit.adapters.dicom.encoding import results
from tests.unit.adapters.dicom.test_delivery_context import recoded
from tests.unit.application.delivery.desk import DeliveryDesk
from tests.unit.application.stage import ME, key

SR_CLASS = "1.2.840.10008.5.1.4.1.1.88.34"
SC_CLASS = "1.2.840.10008.5.1.4.1.1.7"


@pytest.fixture
def desk() -> DeliveryDesk:
    return DeliveryDesk()


def states(desk: DeliveryDesk) -> dict[str, str]:
    return {one.kind.value: one.state.value for one in desk.delivery.objects}


def test_a_result_is_at_its_destination_with_the_job_that_ends(desk):
    """One delivery, queued in the transaction that ended the job, and then sent."""
    desk.destination()
    job = desk.send()
    desk.work()
    assert desk.stage.job(job.id).state is JobState.COMPLETED
    delivery = desk.delivery
    assert (delivery.state, delivery.job_id) == (DeliveryState.SENT, job.id)
    assert states(desk) == {"sr": "sent", "sc": "sent"}
    assert list(desk.pacs.held) == [one.sop_instance_uid for one in delivery.objects]
    assert desk.stage.actions()[-2:] == ["job.completed", "delivery.sent"]
    assert set(delivery.objects[0].digest) <= set("0123456789abcdef")


def test_the_same_image_in_another_transfer_syntax_adds_nothing(desk):
    """It has a job of its own, whose delivery says that the destination has it all."""
    desk.destination()
    desk.send()
    desk.work()
    desk.stage.advance(1)
    desk.send(recoded(results.image(), ImplicitVRLittleEndian))
    desk.work()
    first, second = desk.deliveries
    assert first.job_id != second.job_id
    assert [one.sop_instance_uid for one in first.objects] == [
        one.sop_instance_uid for one in second.objects
    ]
    assert {one.words for one in second.objects} == {"sent before, of the same image"}
    assert second.state is DeliveryState.SENT
    assert len(desk.pacs.sent) == 2


def test_an_image_turned_by_whole_flips_has_its_box_on_the_same_anatomy(desk):
    """As its header says it is stored; the report refers to the stored pixels."""
    desk.destination(objects=(ObjectKind.SR,))
    upright = np.zeros((256, 256), "<u2")
    upright[:, 96:160], upright[200:, 30:120] = 1500, 4095
    boxes = []
    for across, down in ((1, 1), (-1, 1), (1, -1), (-1, -1)):
        stored = np.ascontiguousarray(upright[::down, ::across])
        orientation = ["L" if across == 1 else "R", "F" if down == 1 else "H"]
        turned = results.image(
            PixelData=stored.tobytes(),
            PatientOrientation=orientation,
            SOPInstanceUID=f"1.2.3.{across + 2}{down + 2}",
        )
        desk.send(turned)
        desk.work()
        report = read_context(list(desk.pacs.held.values())[-1])
        points = regions(report)[0].reshape(-1, 2)
        assert len(points) == 5
        places = [(x if across == 1 else 256 - x, y if down == 1 else 256 - y) for x, y in points]
        boxes.append((np.min(places, axis=0), np.max(places, axis=0)))
    for corner in range(2):
        assert np.allclose([box[corner] for box in boxes], boxes[0][corner], atol=2)
    assert len(desk.pacs.held) == 4


def regions(item) -> list[np.ndarray]:
    """Return the coordinates of a report's regions."""
    own = [np.array(item.GraphicData)] if item.get("ValueType") == "SCOORD" else []
    below = [found for child in item.get("ContentSequence") or () for found in regions(child)]
    return own + below


def test_each_destination_has_its_own_delivery_and_other_sites_none(desk):
    """With its own objects."""
    desk.destination()
    desk.destination("archive", objects=(ObjectKind.SR,))
    off = desk.destination("off")
    desk.manage.enable(off.id, key(Role.ADMIN), enabled=False)
    desk.send()
    desk.stage.send(results.image(PatientID="2"), by=key(Role.SUBMITTER, "south"))
    desk.work()
    assert [(one.destination_id, len(one.objects)) for one in desk.deliveries] == [
        ("north/archive", 1),
        ("north/pacs", 2),
    ]


def test_an_image_that_is_in_no_study_is_sent_nowhere(desk):
    """Nothing could refer to it."""
    desk.destination()
    desk.send(results.image(StudyInstanceUID=None))
    desk.work()
    assert desk.deliveries == []


def test_a_destination_may_ask_for_positive_results_alone(desk):
    """The fake engine says that an image is normal which is bright above."""
    desk.destination(when=When.POSITIVE)
    below = np.zeros((256, 256), "<u2")
    below[:, 96:160], below[192:] = 2000, 4095  # bright in the middle, as a chest is
    above = below.copy()
    above[:64], above[192:] = 4095, 0
    jobs = [desk.send(results.image(PixelData=one.tobytes())) for one in (below, above)]
    desk.work()
    kinds = {job.id: desk.stage.result(job.id).impression.kind for job in jobs}
    positive = {job_id for job_id, kind in kinds.items() if kind is ImpressionKind.FINDING}
    assert {one.job_id for one in desk.deliveries} == positive
    assert len(positive) == 1


def test_a_rejected_image_is_reported_where_that_is_asked_for(desk):
    """By a report that says why, and nowhere else."""
    desk.destination()
    desk.destination("told", objects=(ObjectKind.SR, ObjectKind.NO_RESULT))
    desk.send(results.image(PixelData=bytes(2 * 256 * 256)))  # one grey throughout
    desk.work()
    assert desk.delivery.destination_id == "north/told"
    assert states(desk) == {"no_result": "sent"}


def test_what_a_peer_refuses_is_a_dead_letter_and_the_rest_stands(desk):
    """With the peer's words. A replay sends only what is missing."""
    desk.destination()
    desk.pacs.unknown = {SR_CLASS}
    desk.send()
    desk.work()
    assert desk.delivery.state is DeliveryState.FAILED
    assert states(desk) == {"sr": "refused", "sc": "sent"}
    assert desk.delivery.reason.code == "destination_refuses"
    assert "SR: no context for it" in desk.delivery.reason.detail
    desk.later(3600)
    assert len(desk.pacs.sent) == 2  # nothing loops
    desk.pacs.unknown = set()
    desk.operate.retry(desk.delivery.id, key(Role.OPERATOR))
    desk.work()
    assert desk.delivery.state is DeliveryState.SENT
    assert len(desk.pacs.sent) == 3


def test_a_peer_out_of_resources_gets_the_rest_later(desk):
    """What it took is not sent again."""
    desk.destination()
    desk.pacs.statuses = {SR_CLASS: (Answer.LATER, 0xA700, "disk full")}
    desk.send()
    desk.work()
    assert desk.delivery.state is DeliveryState.QUEUED
    assert "0xA700 disk full" in desk.delivery.reason.detail
    desk.pacs.statuses = {}
    desk.later(60)
    assert desk.delivery.state is DeliveryState.SENT
    assert len(desk.pacs.sent) == 3


def test_what_was_refused_is_not_sent_again_with_what_is_waited_for(desk):
    """Until a person has it tried again."""
    desk.destination()
    desk.pacs.unknown = {SR_CLASS}
    desk.pacs.statuses = {SC_CLASS: (Answer.LATER, 0xA700, "disk full")}
    desk.send()
    desk.work()
    desk.later(60)
    assert len(desk.pacs.sent) == 3  # SR once, SC twice
    desk.pacs.statuses = {}
    desk.later(120)
    assert desk.delivery.state is DeliveryState.FAILED
    assert states(desk) == {"sr": "refused", "sc": "sent"}
    assert len(desk.pacs.sent) == 4


def test_a_destination_that_is_away_is_left_alone_longer_each_time_and_gets_all_once(desk):
    """Its outage takes no attempt. Another destination is served meanwhile."""
    desk.destination()
    desk.pacs.error = DestinationUnavailable("no route")
    desk.send()
    desk.work()
    assert (desk.delivery.state, desk.delivery.attempts) == (DeliveryState.QUEUED, 0)
    tries = []
    for _ in range(120):
        before = len(desk.stage.actions())
        desk.later(60)
        tries.append(len(desk.stage.actions()) - before)
    assert 0 < sum(1 for one in tries if one) < 20  # in two hours
    desk.pacs.error = None
    desk.later(15 * 60)
    assert desk.delivery.state is DeliveryState.SENT
    assert len(desk.pacs.sent) == len(desk.pacs.held) == 2


def test_a_day_is_enough(desk):
    """Then it is a dead letter, and a replay has a day again."""
    desk.destination()
    desk.pacs.error = DestinationUnavailable("no route")
    desk.send()
    desk.work()
    for _ in range(26):
        desk.later(3600)
    assert desk.delivery.state is DeliveryState.FAILED
    assert desk.delivery.reason.code == "destination_unavailable"
    desk.pacs.error = None
    desk.operate.retry(desk.delivery.id, key(Role.OPERATOR))
    desk.later(15 * 60)
    assert desk.delivery.state is DeliveryState.SENT


def test_a_rejection_for_good_is_a_dead_letter_at_once(desk):
    """The peer does not know our AE title: nothing mends itself."""
    desk.destination()
    desk.pacs.error = DestinationRefuses("PACS rejected: Calling AE title not recognised")
    desk.send()
    desk.work()
    assert desk.delivery.state is DeliveryState.FAILED
    assert "Calling AE title" in desk.delivery.reason.detail


def test_a_worker_that_dies_while_it_sends_is_followed_by_another(desk):
    """Everything is sent again under the same UIDs, and held once."""
    desk.destination()
    desk.send()
    desk.work(1)

    class Killed(BaseException):
        pass

    def die():
        raise Killed

    desk.pacs.during = die
    with pytest.raises(Killed):
        desk.work()
    assert desk.delivery.state is DeliveryState.RUNNING
    desk.pacs.during = lambda: None
    desk.reconcile()
    desk.stage.advance(61)
    desk.later(61)
    desk.later(61)
    assert (desk.delivery.state, desk.delivery.losses) == (DeliveryState.SENT, 1)
    assert len(desk.pacs.held) == 2


def expire(desk: DeliveryDesk, sealer=None):
    desk.stage.clock.advance(timedelta(days=40))
    run = ExpireFilms(
        unit_of_work=desk.unit_of_work,
        store=desk.stage.store,
        clock=desk.stage.clock,
        sealer=sealer,
        context_of=context_of,
    )
    return run(RetentionRule(30), ME)


def kept(desk: DeliveryDesk) -> dict:
    return desk.unit_of_work.rows.delivery_contexts


def test_a_replay_in_a_month_works_after_retention_took_the_image(desk):
    """What needs pixels is left out and says so; then nothing of the patient is kept."""
    desk.destination()
    desk.pacs.error = DestinationRefuses("not now")
    desk.send()
    desk.work()
    assert expire(desk, desk.sealer).films == 1
    (document, key_id) = next(iter(kept(desk).values()))
    assert key_id == desk.sealer.key_id
    assert b"Phantom" not in document
    desk.pacs.error = None
    desk.operate.retry(desk.delivery.id, key(Role.OPERATOR))
    desk.work()
    assert desk.delivery.state is DeliveryState.SENT
    assert states(desk) == {"sr": "sent", "sc": "skipped"}
    assert b"Phantom" in next(iter(desk.pacs.held.values()))
    expire(desk, desk.sealer)
    assert kept(desk) == {}


def test_nothing_is_kept_of_an_image_whose_deliveries_are_settled(desk):
    """Nor without a key: the replay says what is missing."""
    desk.destination()
    desk.send()
    desk.work()
    expire(desk, desk.sealer)
    assert kept(desk) == {}
    other = DeliveryDesk()
    other.destination()
    other.pacs.error = DestinationRefuses("not now")
    other.send()
    other.work()
    expire(other)
    other.operate.retry(other.delivery.id, key(Role.OPERATOR))
    other.work()
    assert other.delivery.reason.code == "context_missing"


def test_deliveries_of_another_site_do_not_exist(desk):
    """For whoever lists, replays or discards them."""
    desk.destination()
    desk.pacs.error = DestinationRefuses("no")
    desk.send()
    desk.work()
    stranger = key(Role.OPERATOR, "south")
    assert list(desk.operate.newest(DeliveryFilter(), stranger)) == []
    for act in (
        lambda: desk.operate.get(desk.delivery.id, stranger),
        lambda: desk.operate.retry(desk.delivery.id, stranger),
        lambda: desk.operate.discard(desk.delivery.id, "x", stranger),
        lambda: desk.manage.echo("north/pacs", key(Role.ADMIN, "south")),
    ):
        with pytest.raises(NotFound):
            act()
    reader = key(Role.VIEWER, "north")
    assert [one.id for one in desk.operate.newest(DeliveryFilter(), reader)] == [desk.delivery.id]
    with pytest.raises(NotPermitted):
        desk.operate.retry(desk.delivery.id, reader)
    left = desk.operate.discard(desk.delivery.id, "wrong patient", key(Role.OPERATOR, "north"))
    assert left.state is DeliveryState.DISCARDED
    assert desk.stage.events()[-1].details == {"reason": "wrong patient"}
    assert {one.state for one in left.objects} == {ObjectState.WAITING}

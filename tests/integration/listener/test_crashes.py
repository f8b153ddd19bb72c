"""A listener that is killed or stopped: what was answered with success has a job, and one only."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.integration.listener.running import Running
from tests.integration.listener.senders import DX, encoded, phantom, store
from tests.integration.listener.wire import (
    answer,
    associate_request,
    connect,
    ends,
    fragment,
    status_of,
    store_command,
)
from tests.servers import run_folder
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pydicom import Dataset

pytestmark = pytest.mark.real

OBJECTS = 60
SENDERS = 3


@pytest.fixture
def listener() -> Iterator[Running]:
    """A listener for one test."""
    with run_folder() as folder:
        running = Running(folder)
        with running.server.launch():
            yield running


class Sender(threading.Thread):
    """Sends objects over one association until it ends.

    Attributes:
        taken: UIDs of what was answered with success.
    """

    def __init__(self, listener: Running, sets: Sequence[Dataset]) -> None:
        super().__init__()
        self._listener = listener
        self._sets = sets
        self.taken: list[str] = []

    def run(self) -> None:
        connection = connect(self._listener.port, associate_request())
        with connection:
            if answer(connection) != 2:
                return
            for dataset in self._sets:
                uid = str(dataset.SOPInstanceUID)
                try:
                    connection.sendall(fragment(store_command(uid), command=True))
                    data = encoded(dataset)
                    for at in range(0, len(data), 100_000):
                        last = at + 100_000 >= len(data)
                        connection.sendall(fragment(data[at : at + 100_000], last=last))
                except ConnectionError:
                    return
                if (status := status_of(connection)) is None:
                    return
                if status == 0:
                    self.taken.append(uid)


def sent_while(
    listener: Running, sets: Sequence[Dataset], act: Callable[[], None]
) -> tuple[set[str], bool]:
    """Have senders send, and act in the middle; what was taken, and whether that was not all."""
    senders = [Sender(listener, sets[place::SENDERS]) for place in range(SENDERS)]
    for one in senders:
        one.start()
    wait_for(lambda: sum(len(one.taken) for one in senders) >= OBJECTS // 4, "some objects")
    act()
    for one in senders:
        one.join()
    taken = {uid for one in senders for uid in one.taken}
    return taken, len(taken) < len(sets)


def all_have_one_job(listener: Running, sets: Sequence[Dataset]) -> bool:
    """Send all again; whether each has one job."""
    with listener.associated([(DX, "1.2.840.10008.1.2.1")]) as association:
        for dataset in sets:
            uid = str(dataset.SOPInstanceUID)
            status, _ = store(association, encoded(dataset), sop_class=DX, instance=uid)
            assert status == 0
    return listener.jobs() == {str(dataset.SOPInstanceUID): 1 for dataset in sets}


def test_what_was_answered_with_success_survives_a_kill(listener: Running):
    """Everything is killed in the middle of 60 objects, and started again."""
    sets = [phantom(seed) for seed in range(OBJECTS)]
    taken, in_the_middle = sent_while(listener, sets, listener.server.kill)
    assert in_the_middle
    assert taken <= listener.jobs().keys()
    listener.server.launch()
    assert all_have_one_job(listener, sets)


def test_a_process_that_is_killed_is_started_again(listener: Running):
    """The others go on meanwhile."""
    sets = [phantom(seed) for seed in range(OBJECTS)]
    family = psutil.Process(listener.server.pid)
    first = family.children()

    def kill_all() -> None:
        for one in first:
            one.kill()

    taken, in_the_middle = sent_while(listener, sets, kill_all)
    assert in_the_middle
    assert taken <= listener.jobs().keys()
    wait_for(listener.server._ready, "new processes")  # noqa: SLF001 - as launch does
    wait_for(lambda: len(family.children()) == len(first), "as many as before")
    assert not {one.pid for one in first} & {one.pid for one in family.children()}
    assert all_have_one_job(listener, sets)
    assert [one["message"] for one in listener.lines()].count("process.died") == len(first)


def test_sigterm_lets_running_objects_finish(listener: Running):
    """An object whose last byte has not come is taken, and a new association is not."""
    dataset = phantom()
    uid, data = str(dataset.SOPInstanceUID), encoded(dataset)
    idle = connect(listener.port, associate_request())
    assert answer(idle) == 2
    connection = connect(listener.port, associate_request())
    assert answer(connection) == 2
    connection.sendall(fragment(store_command(uid), command=True))
    connection.sendall(fragment(data[:60_000], last=False))
    process = listener.server.process
    assert process is not None
    wait_for(lambda: received(listener), "the first half")
    os.kill(listener.server.pid, signal.SIGTERM)
    assert ends(idle) == [7]
    with pytest.raises(ConnectionError):
        connect(listener.port, associate_request()).recv(1)
    connection.sendall(fragment(data[60_000:]))
    assert status_of(connection) == 0
    assert ends(connection) == [7]
    assert process.wait(60) == 0
    assert listener.jobs() == {uid: 1}


def received(listener: Running) -> bool:
    """Whether half of an object is held, as the metrics say."""
    import urllib.request  # noqa: PLC0415

    url = f"http://127.0.0.1:{listener.server.metrics_port}/metrics"
    with urllib.request.urlopen(url) as answered:
        text = answered.read().decode()
    lines = [one for one in text.splitlines() if one.startswith("hilum_listener_in_flight_bytes ")]
    return any(float(one.split()[1]) > 0 for one in lines)


def test_processes_end_with_the_one_that_supervises_them(listener: Running):
    """Killed, it leaves nobody behind on the port."""
    children = psutil.Process(listener.server.pid).children()
    os.kill(listener.server.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []


def test_wrong_settings_end_with_78():
    """The message names the setting, or what cannot be done."""
    for settings, said in (
        ({"HILUM_LISTENER_TLS_PORT": "0"}, "HILUM_LISTENER"),
        ({"HILUM_LISTENER_AE_TITLE": " "}, "HILUM_LISTENER_AE_TITLE"),
        ({"HILUM_OBJECT_STORE_URL": "ftp://x"}, "address"),
        ({"HILUM_LISTENER_HOST": "203.0.113.1"}, "cannot listen"),
    ):
        with run_folder() as folder:
            listener = Running(folder)
            listener.server.env.update(settings)
            listener.server.begin()
            assert listener.server.process is not None
            assert listener.server.process.wait(60) == 78
            assert said in listener.server.log.read_text(encoding="utf-8")

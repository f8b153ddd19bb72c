"""Messages as files, between processes."""

from __future__ import annotations

import multiprocessing
from contextlib import contextmanager

import pytest
from kombu import Connection

from hilum.adapters.task_queue.celery_app import create_celery

QUEUE = "hilum.analysis.routine"
BODY = "x" * 2000


@contextmanager
def open_channel(folder):
    """A channel on a folder."""
    with create_celery(f"filesystem://{folder}").connection_for_write() as connection:
        channel = connection.channel()
        channel.queue_declare(queue=QUEUE)
        yield channel


def publish(channel, number):
    """Put a numbered message into the queue."""
    message = channel.prepare_message(f"{number} {BODY}")
    channel.basic_publish(message, exchange="", routing_key=QUEUE)


def take(channel):
    """The number of the next message, or None."""
    message = channel.basic_get(QUEUE, no_ack=True)
    return None if message is None else int(message.body.split()[0])


def produce(folder, numbers):
    """Publish numbered messages, as a process."""
    with open_channel(folder) as channel:
        for number in numbers:
            publish(channel, number)


def consume(folder, done, taken):
    """Take messages until the producers are done and nothing is left, as a process."""
    numbers = []
    with open_channel(folder) as channel:
        while True:
            finished = done.is_set()
            number = take(channel)
            if number is not None:
                numbers.append(number)
            elif finished:
                break
    taken.put(numbers)


@pytest.fixture
def folder(tmp_path):
    """Where the queues lie."""
    return tmp_path / "queues"


def test_messages_come_in_order(folder):
    """The oldest message is taken first, also one that came while others were listed."""
    with open_channel(folder) as channel:
        for number in range(3):
            publish(channel, number)
        assert take(channel) == 0
        publish(channel, 3)
        assert [take(channel) for _ in range(4)] == [1, 2, 3, None]


def test_a_message_that_is_being_written_is_not_seen(folder):
    """A message gets its name when it is whole; what has none is neither counted nor taken."""
    with open_channel(folder) as channel:
        publish(channel, 1)
        [message] = (folder / QUEUE).iterdir()
        (folder / QUEUE / ".half-written").write_bytes(message.read_bytes()[:100])
        assert channel.queue_declare(queue=QUEUE).message_count == 1
        assert [take(channel), take(channel)] == [1, None]


def test_each_message_is_taken_once(folder):
    """Several producers and consumers lose nothing, take nothing twice, and see nothing broken."""
    context = multiprocessing.get_context("spawn")
    done, taken = context.Event(), context.Queue()
    parts = [range(start, 600, 2) for start in range(2)]
    producers = [context.Process(target=produce, args=(folder, part)) for part in parts]
    consumers = [context.Process(target=consume, args=(folder, done, taken)) for _ in range(3)]
    for process in (*consumers, *producers):
        process.start()
    for process in producers:
        process.join()
    done.set()
    numbers = sorted(number for _ in consumers for number in taken.get(timeout=60))
    for process in consumers:
        process.join()
    assert [process.exitcode for process in (*producers, *consumers)] == [0] * 5
    assert numbers == list(range(600))


def test_a_message_taken_by_another_consumer_is_passed_over(folder):
    """A listing may name files that are gone by the time they are opened."""
    with open_channel(folder) as first, open_channel(folder) as second:
        for number in range(4):
            publish(first, number)
        assert take(first) == 0
        assert [take(second), take(second)] == [1, 2]
        assert [take(first), take(first)] == [3, None]


def test_purges(folder):
    """An operator can empty a queue."""
    with open_channel(folder) as channel:
        for number in range(3):
            publish(channel, number)
        assert channel.queue_purge(QUEUE) == 3
        assert take(channel) is None


def test_the_stock_transport_is_replaced(folder):
    """The settings name this transport, not Kombu's own of the same scheme."""
    with create_celery(f"filesystem://{folder}").connection_for_read() as connection:
        assert isinstance(connection, Connection)
        assert type(connection.transport).__module__.endswith("folder_transport")

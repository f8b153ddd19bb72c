"""``hilum pacs destinations`` and ``deliveries``, on the database itself."""

from __future__ import annotations

from uuid import uuid4

import pytest

from hilum.domain.delivery import DELIVERY
from hilum.domain.work import Reason
from hilum_cli.bootstrap import open_database
from tests.contract.test_deliveries import claim, queue
from tests.unit.cli.test_models import grey_repository, run

__all__ = ["grey_repository", "run"]

ADD = ("pacs", "destinations", "add")


def test_destinations_are_added_listed_switched_and_removed(run):
    """By C-STORE and by STOW-RS. Nothing is left of one that never had a delivery."""
    added = run(
        *(*ADD, "pacs", "--site", "north", "--ae-title", "PACS", "--host", "pacs", "--port", "104"),
        *("--objects", "sc,sr,seg", "--tls", "--when", "positive"),
    )
    assert added.stdout == "site north: results go to pacs, PACS@pacs:104 over TLS\n"
    run(*ADD, "web", "--site", "north", "--url", "https://pacs/dicom-web")
    _, first, second = run("pacs", "destinations", "list").stdout.splitlines()
    assert first.split() == [
        *("north/pacs", "PACS@pacs:104", "over", "TLS", "sc,sr,seg", "positive", "enabled")
    ]
    assert "https://pacs/dicom-web" in second
    assert "disabled" in run("pacs", "destinations", "disable", "north/pacs").stdout
    assert "disabled" in run("pacs", "destinations", "list").stdout
    assert "enabled" in run("pacs", "destinations", "enable", "north/pacs").stdout
    run("pacs", "destinations", "remove", "north/pacs")
    assert "north/pacs" not in run("pacs", "destinations", "list").stdout
    assert run("audit", "verify").exit_code == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--ae-title", "A" * 17, "--host", "h", "--port", "104"), "1 to 16 ASCII characters"),
        (("--ae-title", "A", "--host", "h h", "--port", "104"), "a host is a name or an address"),
        (("--ae-title", "A", "--host", "h"), "a port is 1 to 65535"),
        (("--url", "ftp://h"), "a URL begins with"),
        (("--url", "https://u:p@h/d"), "no password"),
        (("--url", "https://h", "--host", "h"), "or a URL"),
        (("--url", "https://h", "--commitment"), "C-STORE destinations only"),
        (("--url", "https://h", "--objects", "sr,film"), "'film' is none of sr, sc"),
        (("--url", "https://h", "--max-associations", "99"), "1 to 32 associations"),
        (("--url", "https://h", "--series-number", "0"), "1 to 999999"),
    ],
)
def test_a_wrong_destination_is_refused_in_a_sentence(run, options, told):
    """And is not there afterwards."""
    ended = run(*ADD, "pacs", "--site", "north", *options)
    assert ended.exit_code != 0
    assert told in ended.output
    assert "north/pacs" not in run("pacs", "destinations", "list").stdout


def test_a_destination_that_is_not_there_says_so(run):
    """Whatever is asked of it."""
    for command in (("destinations", "disable"), ("destinations", "remove"), ("echo",)):
        ended = run("pacs", *command, "north/none")
        assert ended.exit_code != 0
        assert "no destination north/none" in ended.output


def failed(database: str) -> list[str]:
    """Return the ids of two dead letters to ``north/pacs``."""
    unit_of_work = open_database(database).unit_of_work
    queue(unit_of_work, "pacs", "pacs")
    ids = []
    for _ in range(2):
        item = claim(unit_of_work)
        assert item is not None
        ids.append(str(item.id))
        with unit_of_work.begin() as transaction:
            reason = Reason("destination_refuses", "SR: 0x0122 no SR here")
            transaction.work(DELIVERY.kind).park(item, reason=reason, lost=False)
    return ids


def test_dead_letters_are_listed_replayed_and_discarded(run, database):
    """With the words of the peer."""
    first, second = failed(database)
    listed = run("pacs", "deliveries", "--state", "failed").stdout
    assert listed.count("destination_refuses: SR: 0x0122 no SR here") == 2
    assert run("pacs", "replay", first).stdout == "1 queued again\n"
    assert run("pacs", "replay", first).exit_code != 0
    assert run("pacs", "replay", "--all-failed", "--destination", "north/pacs").stdout == (
        "1 queued again\n"
    )
    run("pacs", "discard", second, "--reason", "the patient is another")
    assert run("pacs", "deliveries", "--state", "queued").stdout.split().count(first) == 1
    assert run("pacs", "deliveries", "--state", "discarded").stdout.split().count(second) == 1
    assert run("pacs", "replay").exit_code != 0
    gone = run("pacs", "discard", str(uuid4()), "--reason", "x")
    assert "no delivery" in gone.output
    assert run("audit", "verify").exit_code == 0

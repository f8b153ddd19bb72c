"""``hilum pacs``: peers and associations, on the database itself."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from hilum.domain.association import Association, AssociationOutcome
from hilum_cli.bootstrap import open_database
from tests.unit.cli.test_models import grey_repository, run

__all__ = ["grey_repository", "run"]


def test_peers_are_added_listed_and_removed(run):
    """With all that is asked of a caller."""
    added = run(
        *("pacs", "peers", "add", "CR 1", "--site", "north", "--network", "10.1.0.0/16"),
        *("--host", "cr1", "--port", "104", "--certificate", "ab" * 32),
    )
    assert added.stdout == "site north: CR 1 is a peer\n"
    run("pacs", "peers", "add", "WS1", "--site", "south", "--may-not-send", "--may-query")
    head, north, south = run("pacs", "peers", "list").stdout.splitlines()
    assert head.split()[:3] == ["site", "AE", "title"]
    assert north.split()[:5] == ["north", "CR", "1", "cr1:104", "10.1.0.0/16"]
    assert north.endswith("send")
    assert south.split()[-1] == "query"
    removed = run("pacs", "peers", "remove", "CR 1", "--site", "north")
    assert removed.stdout == "site north: CR 1 is no peer any more\n"
    assert "CR 1" not in run("pacs", "peers", "list").stdout
    assert run("audit", "verify").exit_code == 0


def test_a_wrong_ae_title_is_refused_in_a_sentence(run):
    """And a peer that is not there cannot be removed."""
    ended = run("pacs", "peers", "add", "A" * 17, "--site", "north")
    assert ended.exit_code != 0
    assert "1 to 16 ASCII characters" in ended.output
    gone = run("pacs", "peers", "remove", "CR1", "--site", "north")
    assert gone.exit_code != 0
    assert "no peer of this AE title" in gone.output


def test_associations_are_listed_with_why_they_were_rejected(run, database):
    """The newest first."""
    associations = open_database(database).associations
    for minute, outcome, reason in (
        (0, AssociationOutcome.ACCEPTED, None),
        (1, AssociationOutcome.REJECTED, "unknown_caller"),
    ):
        associations.record(
            Association(
                id=uuid4(),
                began_at=datetime(2026, 12, 1, 8, minute, tzinfo=UTC),
                ended_at=None,
                calling_ae="CR1",
                called_ae="HILUM",
                address="10.0.0.1",
                site=None,
                outcome=outcome,
                reason=reason,
                stored=2,
            )
        )
    _, newest, first = run("pacs", "associations").stdout.splitlines()
    assert "rejected: unknown_caller" in newest
    assert first.rstrip().endswith("2 stored")
    assert len(run("pacs", "associations", "--rejected").stdout.splitlines()) == 2

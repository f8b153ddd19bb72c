"""``hilum db``, ``hilum keys`` and ``hilum audit``: on the database itself."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from hilum.domain.access import parse_key
from hilum_stack.embedded import EmbeddedStack
from hilum_stack.paths import ROOT, RUN_FOLDER


@pytest.fixture
def run(command, database):
    """The command on a database that has this release's schema."""

    def on_database(*arguments: object):
        return command(*arguments, HILUM_DATABASE_URL=database)

    assert on_database("db", "upgrade").exit_code == 0
    return on_database


def test_an_empty_database_is_upgraded_once(command, database):
    """From nothing to this release's schema; the second time there is nothing to do."""
    assert command("db", "current", "--database-url", database).stdout == "none\n"
    before = command("db", "check", "--database-url", database)
    assert before.exit_code == 1
    assert "hilum db upgrade" in before.stderr
    first = command("db", "upgrade", "--database-url", database)
    second = command("db", "upgrade", "--database-url", database)
    revision = command("db", "current", "--database-url", database).stdout.strip()
    assert first.stdout == f"schema none -> {revision}\n"
    assert second.stdout == f"schema {revision}\n"
    assert command("db", "check", "--database-url", database).exit_code == 0


def test_after_a_rollback_a_newer_schema_is_worked_with_where_it_says_so(run, tmp_path):
    """Nothing is done, and the exit code lets the older release's Job succeed."""
    with sqlite3.connect(tmp_path / "hilum.db") as connection:
        (wanted,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        connection.execute("UPDATE alembic_version SET version_num = '9000'")
        connection.execute("INSERT INTO schema_steps VALUES ('9000', ?)", (wanted,))
    upgraded = run("db", "upgrade")
    assert upgraded.exit_code == 0
    assert upgraded.stdout == (
        f"nothing to do: schema 9000 is newer than this release's {wanted}, and this release can "
        "work with it\n"
    )
    checked = run("db", "check")
    assert checked.exit_code == 0
    assert "9000 is newer" in checked.stdout


def test_after_a_rollback_an_incompatible_schema_is_refused_with_what_helps(run, tmp_path):
    """Exit code 1, the stable code, and which releases could be installed."""
    with sqlite3.connect(tmp_path / "hilum.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9000'")
        connection.execute("INSERT INTO schema_steps VALUES ('9000', '8000')")
    for asked in ("upgrade", "check"):
        refused = run("db", asked)
        assert refused.exit_code == 1
        assert refused.stderr.startswith("Error: schema_incompatible: ")
        assert "schema 8000 or newer" in refused.stderr
        assert "backup" in refused.stderr


@pytest.mark.parametrize("arguments", [("db", "upgrade"), ("keys", "list"), ("audit", "verify")])
def test_without_a_database_the_command_says_how_to_name_one(command, arguments):
    """Exit code 2: the command line is wrong. The address of `make demo` is the true one."""
    ended = command(*arguments)
    assert ended.exit_code == 2
    assert "HILUM_DATABASE_URL" in ended.stderr
    demo = EmbeddedStack(RUN_FOLDER / "demo").env["HILUM_DATABASE_URL"]
    assert demo.replace(f"{ROOT}/", "") in ended.stderr


def test_an_address_that_is_none_shows_no_secret(command):
    """One sentence, no trace."""
    ended = command("db", "check", "--database-url", "oracle://u:hunter2@h/d")
    assert ended.exit_code == 1
    assert "hunter2" not in ended.output
    assert len(ended.stderr.splitlines()) == 1


def test_a_key_is_printed_once_and_alone(run):
    """So that a script can take it: the key on stdout, words on stderr."""
    made = run("keys", "create", "--role", "submitter", "--name", "desk", "--site", "north")
    key_id, secret = parse_key(made.stdout)
    assert made.stdout.count("\n") == 1
    assert "shown this once" in made.stderr
    listed = run("keys", "list").stdout
    assert secret not in listed
    (row,) = [line for line in listed.splitlines() if line.startswith(key_id)]
    assert row.split()[1:4] == ["desk", "submitter", "north"]


def test_a_key_is_written_to_a_file_that_only_its_owner_reads(run):
    """In a folder that is made for it; nothing else is left there, nothing is printed."""
    made = run("keys", "create", "--role", "admin", "--name", "a", "--write", "new/api-key")
    path = Path("new/api-key")
    assert made.exit_code == 0
    assert made.stdout == ""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert parse_key(path.read_text()) is not None
    assert [entry.name for entry in path.parent.iterdir()] == ["api-key"]


def test_a_first_key_is_made_once_and_its_file_kept(run):
    """A second start with the same data leaves both alone."""
    create = ("keys", "create", "--role", "admin", "--name", "a", "--if-none", "--write", "key")
    run(*create)
    before = Path("key").read_text()
    again = run(*create)
    assert (again.exit_code, again.stdout) == (0, "")
    assert "already" in again.stderr
    assert Path("key").read_text() == before
    assert sorted(path.name for path in Path().iterdir() if "key" in path.name) == ["key"]


def test_a_key_that_could_not_be_written_is_not_made(run):
    """Nobody would ever know it."""
    Path("file").touch()
    failed = run("keys", "create", "--role", "admin", "--name", "a", "--write", "file/key")
    assert failed.exit_code == 1
    assert "cannot be written" in failed.stderr
    assert len(run("keys", "list").stdout.splitlines()) == 1


@pytest.mark.parametrize("role", ["king", ""])
def test_a_role_that_is_none_is_refused(run, role):
    """By the command line, which names those that there are."""
    refused = run("keys", "create", "--role", role, "--name", "a")
    assert refused.exit_code == 2
    assert "submitter" in refused.stderr


def test_a_key_is_revoked_by_its_id(run):
    """Once; then there is nothing to revoke."""
    key_id, _ = parse_key(run("keys", "create", "--role", "viewer", "--name", "v").stdout)
    assert "revoked viewer key v" in run("keys", "revoke", key_id).stdout
    again = run("keys", "revoke", key_id)
    assert again.exit_code == 1
    assert again.stderr.startswith("Error: not_found: ")


def test_an_audit_log_that_nobody_touched_is_whole(run):
    """With the number of its events and its last hash, to be kept elsewhere."""
    for name in "abc":
        run("keys", "create", "--role", "viewer", "--name", name)
    verified = run("audit", "verify")
    assert verified.exit_code == 0
    assert verified.stdout.startswith("3 events, the chain is whole, it ends in ")


def test_an_audit_log_that_was_tampered_with_is_broken_at_that_event(run, tmp_path):
    """Exit code 1 and the sequence number."""
    for name in "abc":
        run("keys", "create", "--role", "viewer", "--name", name)
    with sqlite3.connect(tmp_path / "hilum.db") as connection:
        for (trigger,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute("UPDATE audit_events SET actor = 'nobody' WHERE sequence = 2")
    verified = run("audit", "verify")
    assert verified.exit_code == 1
    assert "broken at event 2" in verified.stderr


def test_a_long_audit_log_is_walked_in_pages(run, monkeypatch):
    """Every event once, across the borders of pages."""
    for name in "abcde":
        run("keys", "create", "--role", "viewer", "--name", name)
    monkeypatch.setattr("hilum_cli.commands.audit._PAGE", 2)
    assert run("audit", "verify").stdout.startswith("5 events")

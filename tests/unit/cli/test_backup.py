"""``hilum backup`` on the embedded platform: a SQLite file and a folder."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from hilum.adapters.object_store.object_store import open_object_store
from hilum_stack.paths import ROOT
from tests.contract.test_database_copy import fill

FILM = b"a film of few bytes"


@pytest.fixture
def platform(command, database, tmp_path):
    """A platform of three films, and the command with its addresses."""
    known = {
        "HILUM_DATABASE_URL": database,
        "HILUM_OBJECT_STORE_URL": f"file://{tmp_path}/objects",
        "HILUM_BACKUP_STORE_URL": f"file://{tmp_path}/backups",
    }

    def run(*arguments: object, **environment: str):
        return command(*arguments, **{**known, **environment})

    assert run("db", "upgrade").exit_code == 0
    fill(database)
    store = open_object_store(known["HILUM_OBJECT_STORE_URL"])
    with closing(sqlite3.connect(tmp_path / "hilum.db")) as connection, connection:
        # The samples claim 5 GB each, which nobody wants on a disk.
        what = (len(FILM), sha256(FILM).hexdigest())
        connection.execute("UPDATE instances SET size_bytes = ?, sha256 = ?", what)
        rows = connection.execute("SELECT object_key FROM instances").fetchall()
    for (key,) in rows:
        store.put(key, [FILM], media_type="image/png")
    return run


def test_a_backup_is_made_listed_verified_and_restored(platform, tmp_path):
    """The way that docs/backup.md goes."""
    made = platform("backup", "create")
    assert made.exit_code == 0, made.output
    assert "is complete" in made.stdout
    assert "3 objects" in made.stdout
    (manifest,) = json.loads(platform("backup", "list", "--json").stdout)
    assert manifest["name"] in platform("backup", "list").stdout
    verified = platform("backup", "verify", "--deep")
    assert verified.exit_code == 0, verified.output
    assert "is whole" in verified.stdout
    fresh = {
        "HILUM_DATABASE_URL": f"sqlite:///{tmp_path}/fresh.db",
        "HILUM_OBJECT_STORE_URL": f"file://{tmp_path}/fresh",
    }
    restored = platform("backup", "restore", **fresh)
    assert restored.exit_code == 0, restored.output
    assert "films: 3 there" in restored.stdout
    assert "audit log: 3 events, the chain is whole, as in the backup" in restored.stdout
    assert platform("backup", "check", **fresh).exit_code == 0
    assert platform("audit", "verify", **fresh).exit_code == 0


def test_a_film_that_is_missing_afterwards_fails_the_check(platform, tmp_path):
    """With a code that a script can match."""
    assert platform("backup", "create").exit_code == 0
    next((tmp_path / "objects").rglob("films/*")).unlink()
    checked = platform("backup", "check")
    assert checked.exit_code == 1
    assert "backup_damaged: a row names films/" in checked.stderr


def test_films_that_lost_their_objects_fail_the_backup(platform, tmp_path):
    """It is made and marked; what it lacks is told by every command that reads it."""
    assert platform("backup", "create").exit_code == 0
    assert platform("backup", "verify").stderr == ""
    copied, lost = sorted((tmp_path / "objects").rglob("films/*"))[:2]
    for film in (copied, lost):
        film.unlink()
    next((tmp_path / "backups" / "objects").rglob(lost.name)).unlink()
    made = platform("backup", "create")
    while "begin again a second" in made.stderr:
        made = platform("backup", "create")
    assert made.exit_code == 1
    assert "is complete" in made.stdout
    told = "lacked 2 films that rows name, or held other bytes: 1 are in the backup store"
    assert "object_missing: when backup" in made.stderr
    assert told in made.stderr
    assert f"films/{lost.name} (in no backup)" in made.stderr
    assert f"films/{copied.name} (copied, objects/films/{copied.name})" in made.stderr
    manifest = json.loads(platform("backup", "list", "--json").stdout)[-1]
    assert (manifest["missing"], manifest["lost"], manifest["objects"]) == (2, 1, 2)
    verified = platform("backup", "verify", "--deep")
    assert (verified.exit_code, told in verified.stderr) == (1, True)
    fresh = {
        "HILUM_DATABASE_URL": f"sqlite:///{tmp_path}/fresh.db",
        "HILUM_OBJECT_STORE_URL": f"file://{tmp_path}/fresh",
    }
    restored = platform("backup", "restore", **fresh)
    assert restored.exit_code == 0, restored.output
    assert told in restored.stderr
    assert "films: 2 there" in restored.stdout
    assert "films that were lost before the backup was made: 1" in restored.stdout
    checked = platform("backup", "check", **fresh)
    assert (checked.exit_code, told in checked.stderr) == (0, True)


def test_films_are_not_replaced_unasked(platform, database):
    """Only with --force."""
    assert platform("backup", "create").exit_code == 0
    fill(database, 1)
    refused = platform("backup", "restore")
    assert refused.exit_code == 1
    assert "restore_refused" in refused.stderr
    assert platform("backup", "restore", "--force").exit_code == 0


def test_old_backups_go(platform, tmp_path):
    """All but the newest, as told."""
    assert platform("backup", "create").exit_code == 0
    folder = tmp_path / "backups" / "backups"
    (newest,) = folder.iterdir()
    older = folder / "20200101t000000z"
    older.mkdir()
    document = json.loads((newest / "manifest.json").read_text())
    document |= {"name": older.name, "made_at": "2020-01-01T00:00:00+00:00"}
    (older / "manifest.json").write_text(json.dumps(document))
    for file in ("dump", "objects"):
        (older / file).mkdir()
        for part in (newest / file).iterdir():
            (older / file / part.name).write_bytes(part.read_bytes())
    assert len(json.loads(platform("backup", "list", "--json").stdout)) == 2
    pruned = platform("backup", "prune", "--keep", "1")
    assert pruned.exit_code == 0, pruned.output
    assert "removed 1 backups, 0 unfinished ones and 0 objects" in pruned.stdout
    (left,) = json.loads(platform("backup", "list", "--json").stdout)
    assert left["name"] == newest.name
    assert platform("backup", "verify", "--deep").exit_code == 0


def test_a_dump_made_elsewhere_is_taken_with_its_facts(platform, tmp_path):
    """The container with pg_dump leaves two files."""
    dump = tmp_path / "database.dump"
    dump.write_bytes(b"PGDMP, for all that is known here")
    bare = platform("backup", "create", "--dump", dump)
    assert bare.exit_code == 0, bare.output
    assert ".facts" in bare.stderr
    facts = {
        "kind": "postgresql",
        "schema": "0003",
        "rows": {"instances": 3},
        "audit": {"sequence": 3, "hash": "ab" * 32},
    }
    dump.with_name("database.dump.facts").write_text(json.dumps(facts))
    told = platform("backup", "create", "--dump", dump, "--to", f"file://{tmp_path}/others")
    assert told.exit_code == 0, told.output
    assert told.stderr == ""
    listed = platform("backup", "list", "--json", "--from", f"file://{tmp_path}/others")
    assert json.loads(listed.stdout)[0]["database"] == facts
    out = tmp_path / "fetched.dump"
    assert platform("backup", "fetch", "--out", out).exit_code == 0
    assert out.read_bytes() == dump.read_bytes()
    refused = platform("backup", "restore")
    assert refused.exit_code == 1
    assert "this database is sqlite" in refused.stderr


def test_the_script_is_printed_or_written(platform, tmp_path):
    """It holds what reads the facts."""
    printed = platform("backup", "script")
    assert printed.stdout.startswith("#!/bin/sh")
    assert "pg_export_snapshot" in printed.stdout
    assert "@FACTS@" not in printed.stdout
    assert platform("backup", "script", "--out", tmp_path / "dump.sh").exit_code == 0
    assert (tmp_path / "dump.sh").read_text() == printed.stdout


def test_an_unfinished_backup_is_told_apart(platform, tmp_path):
    """It is listed on stderr alone."""
    part = tmp_path / "backups" / "backups" / "20200101t000000z" / "dump" / "0000"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x")
    listed = platform("backup", "list")
    assert "20200101t000000z" not in listed.stdout
    assert "20200101t000000z" in listed.stderr
    assert platform("backup", "verify").exit_code == 1
    assert "not_found" in platform("backup", "verify", "--at", "20200101t000000z").stderr


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (("list",), {"HILUM_BACKUP_STORE_URL": ""}, "which backup store"),
        (("list", "--from", "ftp://x/y"), {}, "file:// nor with s3://"),
        (("create",), {"HILUM_DATABASE_URL": ""}, "which platform"),
        (("restore",), {"HILUM_OBJECT_STORE_URL": ""}, "which platform"),
        (("create",), {"HILUM_OBJECT_STORE_URL": "s3://x"}, "the store's address"),
        (("prune",), {}, "--keep"),
    ],
)
def test_a_wrong_call_is_told(platform, arguments, environment, told):
    """Before anything is done; with the status of a wrong command line."""
    done = platform("backup", *arguments, **environment)
    assert done.exit_code == 2
    assert told in done.stderr


def test_the_drill_restores_beside_the_platform(platform, command, database, tmp_path):
    """An operator's script: verified, restored, compared, and nothing of the platform touched."""
    assert platform("backup", "create").exit_code == 0
    before = (tmp_path / "hilum.db").read_bytes()
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HILUM_BACKUP_STORE_URL": f"file://{tmp_path}/backups",
    }
    script = ROOT / "scripts" / "restore-drill.sh"
    done = subprocess.run(
        ["sh", str(script), f"sqlite:///{tmp_path}/drill.db", str(tmp_path / "drilled")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "films: 3 read" in done.stdout
    assert "the drill took" in done.stdout
    assert (tmp_path / "hilum.db").read_bytes() == before
    assert len(list((tmp_path / "drilled").rglob("films/*"))) == 3

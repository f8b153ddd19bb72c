"""Everything of an installation but its backups is lost; another one brings it all back."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hilum_stack.films import choose_films
from tests.cluster.e2e.films import COLLECTION
from tests.cluster.e2e.installation import BACKUPS, Installation
from tests.cluster.e2e.readings import fetch_reading, read_film
from tests.cluster.e2e.sending import ClusterLedger

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from tests.cluster.kubectl import Kubectl

_RESTORES = "hilum.io/task=restore"
_WITHIN = "--timeout=600s"
# What is known of films. Not the audit log, which goes on: of it a beginning is held.
_TABLES = ("studies", "instances", "jobs", "results", "heatmaps", "gate_readings", "api_keys")
_VERIFIED = re.compile(r"(?P<count>\d+) events, the chain is whole, it ends in (?P<hash>\w+)")


def test_results_and_heatmaps_are_back_after_everything_but_the_backups_was_lost(
    installation: Installation, api: httpx.Client, tmp_path: Path
) -> None:
    """Backup, uninstall, no volume and no Secret left, install, restore: all equal, audit whole."""
    films = [Path(film) for film in choose_films([], COLLECTION, tmp_path)]
    readings = [read_film(api, film) for film in films]
    kept = _Kept.of(installation, tmp_path)
    assert kept.tables["results"][0] >= len(films)
    _back_up(installation.kubectl)

    _lose_everything(installation)
    installation.release.install()
    another = Installation(installation.kubectl, installation.release)
    assert another.authority != installation.authority
    assert ClusterLedger(another, tmp_path).count("jobs") == 0
    _restore(another)

    kept.assert_back_in(another, tmp_path)
    # The key of before opens it, too, and the films' bytes are there.
    with closing(another.api(tmp_path, installation.api_key)) as restored:
        for reading in readings:
            assert fetch_reading(restored, reading.job["job_id"]) == reading
    assert another.release.test()


@dataclass(frozen=True, slots=True)
class _Kept:
    """What an installation holds at a moment when no film is under way."""

    tables: Mapping[str, tuple[int, str]]
    films: set[str]
    audit_events: int
    audit_hash: str

    @classmethod
    def of(cls, installation: Installation, folder: Path) -> _Kept:
        ledger = ClusterLedger(installation, folder)
        ledger.wait_until_settled([row[0] for row in ledger.rows("SELECT id::text FROM jobs")])
        verified = _verify_audit(installation)
        return cls(
            {table: _digest(ledger, table) for table in _TABLES},
            ledger.object_names("films/"),
            int(verified["count"]),
            verified["hash"],
        )

    def assert_back_in(self, installation: Installation, folder: Path) -> None:
        ledger = ClusterLedger(installation, folder)
        assert {table: _digest(ledger, table) for table in _TABLES} == self.tables
        assert ledger.object_names("films/") == self.films
        ledger.assert_rows_and_objects_agree()
        assert int(_verify_audit(installation)["count"]) >= self.audit_events
        query = "SELECT hash FROM audit_events WHERE sequence = %s"
        assert ledger.rows(query, self.audit_events) == [(self.audit_hash,)]


def _digest(ledger: ClusterLedger, table: str) -> tuple[int, str]:
    """How many rows a table has, and a digest of all that is in them."""
    rows = f"SELECT row_to_json(one)::text AS line FROM {table} one"  # noqa: S608 - a name of ours
    query = f"SELECT count(*), md5(string_agg(line, ',' ORDER BY line)) FROM ({rows}) every"  # noqa: S608 - same
    ((count, digest),) = ledger.rows(query)
    return count, digest


def _verify_audit(installation: Installation) -> re.Match[str]:
    told = installation.hilum("hilum", "audit", "verify")
    found = _VERIFIED.search(told)
    assert found, told
    return found


def _back_up(kubectl: Kubectl) -> None:
    """The CronJob's work, now."""
    kubectl.run("create", "job", "backup-now", "--from=cronjob/hilum-backup")
    kubectl.wait_until("job", "backup-now", "condition=complete", within="600s")


def _lose_everything(installation: Installation) -> None:
    kubectl = installation.kubectl
    installation.release.uninstall()
    kubectl.run("delete", "jobs,pods,secrets", "--all")
    claims = {one["metadata"]["name"] for one in kubectl.items("persistentvolumeclaims")}
    assert BACKUPS in claims
    kubectl.run("delete", "persistentvolumeclaims", *(claims - {BACKUPS}), _WITHIN)
    left = kubectl.items("persistentvolumeclaims,secrets,pods")
    assert [one["metadata"]["name"] for one in left] == [BACKUPS]


def _restore(installation: Installation) -> None:
    """As docs/deployment.md says: on, until the Job is complete, and off."""
    installation.with_sets({"maintenance.restore.enabled": "true"}).upgrade()
    complete = ("--for=condition=complete", _WITHIN)
    installation.kubectl.run("wait", "job", "--selector", _RESTORES, *complete)
    installation.release.upgrade()

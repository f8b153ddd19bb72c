"""The alert about backups knows this release's CronJob and schedule."""

from __future__ import annotations

import pytest

from tests.chart.rendering import CHART, NAMESPACE, Refused, render
from tests.promtool import assert_alerts

HOUR = 60
BACKED_UP = {
    "maintenance.backup.enabled": "true",
    "maintenance.backup.to.existingClaim": "share",
    "monitoring.rules.enabled": "true",
    "fullnameOverride": "films",
}
CRON_JOB = f'namespace="{NAMESPACE}",cronjob="films-backup",instance="kube-state-metrics"'
CREATED = f"kube_cronjob_created{{{CRON_JOB}}}"
SUCCESS = f"kube_cronjob_status_last_successful_time{{{CRON_JOB}}}"
SUSPENDED = f"kube_cronjob_spec_suspend{{{CRON_JOB}}}"
FIRING = [{"namespace": NAMESPACE, "cronjob": "films-backup"}]
# Of another release: what is well there says nothing of this one.
ELSEWHERE = {
    SUCCESS.replace("films-", "hilum-"): f"0+60x{20 * HOUR}",
    CREATED.replace("films-", "hilum-"): f"0x{20 * HOUR}",
}


def rules(**sets: str) -> dict:
    """What the operator of Prometheus gets."""
    (rule,) = render(sets={**BACKED_UP, **sets}).of_kind("PrometheusRule")
    return rule["spec"]


def minutes(values: str) -> dict[str, str]:
    """Series of a CronJob that was made at the beginning and is not suspended."""
    return {**ELSEWHERE, CREATED: f"0x{20 * HOUR}", SUSPENDED: f"0x{20 * HOUR}", SUCCESS: values}


def test_backups_that_stopped_are_told(tmp_path):
    """Four hours and a half after the last good one; a CronJob of any name."""
    hourly = f"_x{HOUR} 3600x{19 * HOUR}"
    firing = {f"HilumBackupIsOld@{5 * HOUR}": [], f"HilumBackupIsOld@{6 * HOUR}": FIRING}
    assert_alerts(rules(), minutes(hourly), firing, tmp_path)


def test_backups_that_succeed_are_quiet(tmp_path):
    """Also one that is late by a little."""
    each_hour = f"0+60x{20 * HOUR}"
    assert_alerts(rules(), minutes(each_hour), {f"HilumBackupIsOld@{19 * HOUR}": []}, tmp_path)


def test_a_backup_that_never_succeeded_is_told(tmp_path):
    """kube-state-metrics has no time of a success then; the age of the CronJob counts."""
    series = {name: values for name, values in minutes("").items() if name != SUCCESS}
    firing = {f"HilumBackupIsOld@{4 * HOUR}": [], f"HilumBackupIsOld@{5 * HOUR}": FIRING}
    assert_alerts(rules(), series, firing, tmp_path)


def test_a_suspended_backup_is_quiet(tmp_path):
    """While a restore runs nothing is backed up, on purpose."""
    series = {**minutes(f"0x{20 * HOUR}"), SUSPENDED: f"1x{20 * HOUR}"}
    assert_alerts(rules(), series, {f"HilumBackupIsOld@{19 * HOUR}": []}, tmp_path)


def test_the_threshold_is_the_sites(tmp_path):
    """A site that backs up once a day is not woken each night."""
    sets = {
        "maintenance.backup.schedule": "37 2 * * *",
        "maintenance.backup.alertAfterHours": "50",
    }
    firing = {f"HilumBackupIsOld@{19 * HOUR}": []}
    assert_alerts(rules(**sets), minutes(f"0x{20 * HOUR}"), firing, tmp_path)


def test_a_release_without_backups_has_no_alert_about_them():
    """Nothing could silence it."""
    text = render(sets={"monitoring.rules.enabled": "true"}).text
    assert "HilumFilmsParked" in text
    assert "HilumBackupIsOld" not in text


@pytest.mark.parametrize("schedule", ["7 */4 * * *", "37 2 * * *"])
def test_an_alert_that_would_always_sound_is_refused(schedule):
    """The default is for the default's schedule, an hour."""
    sets = {**BACKED_UP, "maintenance.backup.schedule": schedule}
    with pytest.raises(Refused) as refused:
        render(sets=sets)
    assert "maintenance.backup.alertAfterHours" in str(refused.value)
    assert render(sets={**sets, "maintenance.backup.alertAfterHours": "50"}).objects


def test_a_programme_with_few_backups_waits_for_two_of_them():
    """Four hours lie between two."""
    rendered = render(CHART / "ci" / "national-screening-values.yaml")
    assert "> 12 * 3600" in rendered.text

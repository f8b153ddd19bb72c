"""Rules of Prometheus, evaluated by Prometheus's own code over series that a test makes up."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BUILT = Path(__file__).parents[1] / ".cache" / "bin" / "promtool"


def promtool() -> str:
    """The program; without it the test is skipped, or fails on CI."""
    program = shutil.which("promtool") or (str(_BUILT) if _BUILT.is_file() else None)
    if program is None:
        text = "no promtool: run `make services`"
        if os.environ.get("CI") == "true":
            pytest.fail(text)
        pytest.skip(text)
    return program


def assert_alerts(
    rules: Mapping[str, Any],
    series: Mapping[str, str],
    firing: Mapping[str, Sequence[Mapping[str, str]]],
    folder: Path,
) -> None:
    """Assert which alerts fire at a moment and which do not.

    Args:
        rules: ``groups``, as a file of rules has them.
        series: Values of each series, one a minute, in promtool's notation (``0+1x60``).
        firing: By ``alert@minute`` the labels, beside name and severity, of each that fires then.
        folder: For the files.
    """
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    severities = {
        rule["alert"]: rule["labels"]["severity"]
        for group in rules["groups"]
        for rule in group["rules"]
    }
    expected = []
    for at, found in firing.items():
        name, _, minute = at.partition("@")
        own = {"alertname": name, "alertstate": "firing", "severity": severities[name]}
        samples = [
            {"labels": f"ALERTS{_selector({**own, **labels})}", "value": 1} for labels in found
        ]
        asked = _selector({"alertname": name, "alertstate": "firing"})
        expected.append(
            {"expr": f"ALERTS{asked}", "eval_time": f"{minute}m", "exp_samples": samples}
        )
    case = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": expected,
    }
    file = folder / "test.yaml"
    document = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [case]}
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    done = subprocess.run(
        [promtool(), "test", "rules", file.name],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _selector(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f"{name}={json.dumps(value)}" for name, value in labels.items()) + "}"

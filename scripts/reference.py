# ruff: noqa: INP001 - a script that is run by its path
"""Write docs/reference/ from the code: settings, errors, metrics, events of the log.

The tables of docs/conformance.md are written as well.

``--check`` compares alone.
"""

from __future__ import annotations

import difflib
import inspect
import logging
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from conformance import PAGE, filled
from log_events import MEANINGS, of_product, unexplained
from pydantic_core import PydanticUndefined

from hilum.application.ports.deliveries import DestinationDepth
from hilum.application.ports.repositories import QueueDepth
from hilum.application.queue.measure_queues import QueueDepths
from hilum.domain.errors import HilumError, Permanent, Refused, Rejected, Transient
from hilum.domain.job import ANALYSIS, Priority
from hilum.runtime.metrics import OLD_NAMES
from hilum.runtime.setting_groups import ELSEWHERE, EverySetting
from hilum.runtime.settings import settings_of
from hilum_cli.settings import CliSettings
from hilum_engine.metrics import EngineMetrics
from hilum_gateway.advice import ADVICE
from hilum_gateway.http.problems import status_of
from hilum_gateway.wiring.metrics import Metrics
from hilum_gateway.wiring.settings import Settings
from hilum_listener.metrics import ListenerMetrics, SupervisorMetrics
from hilum_listener.settings import ListenerSettings
from hilum_triton_probe.metrics import KnownAnswerMetrics
from hilum_worker.metrics import WorkerMetrics
from hilum_worker.settings import WorkerSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from prometheus_client import CollectorRegistry

    from hilum.runtime.settings import Setting

FOLDER: Final = Path(__file__).parents[1] / "docs" / "reference"
_HEAD: Final = "<!-- Written by `make reference` from the code. Do not edit. -->"
_PROCESSES: Final = {
    "gateway": Settings,
    "worker": WorkerSettings,
    "listener": ListenerSettings,
    "command": CliSettings,
}
_NAMELESS: Final = {"HILUM_WORKER_NAME": "host name and process id"}
CAUSES: Final = {
    Rejected: "Cause: the image or the file. The job ends `rejected` and is not tried again.",
    Transient: "Cause: a part of the platform is down or busy. The job is tried again by itself.",
    Permanent: "Cause: a defect or a wrong installation. The job waits for an operator.",
    Refused: "Cause: the request. Nothing was changed. Send another request, as its detail says.",
}


def pages() -> dict[str, str]:
    """Return the text of each page by its file name."""
    return {
        "configuration.md": _page("Configuration", _configuration()),
        "errors.md": _page("Errors", _errors()),
        "metrics.md": _page("Metrics", _metrics()),
        "events.md": _page("Events of the log", _events()),
        "../conformance.md": filled(PAGE.read_text(encoding="utf-8")),
    }


def _page(title: str, lines: Iterable[str]) -> str:
    return "\n".join([f"# {title}", "", _HEAD, "", *lines]).rstrip() + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


# ---------------------------------------------------------------------------- configuration
def _configuration() -> Iterator[str]:
    yield "Every process reads its settings from the environment when it starts. An old name works"
    yield "until 0.4.0 and warns. It goes before the new one. A name that begins with `HILUM_` and"
    yield "is in no table here warns."
    yield ""
    groups: dict[str, list[Setting]] = {}
    for setting in settings_of(EverySetting):
        groups.setdefault(setting.group.__name__, []).append(setting)
    for settings in groups.values():
        readers = _defaults(settings[0])
        yield f"## {_first_line(settings[0].group)}"
        yield ""
        yield f"Read by: {', '.join(readers)}."
        yield ""
        head = ("variable", "default", "meaning", "old name")
        yield from _table(head, map(_setting_row, settings))
    yield "## Names that something else reads"
    yield ""
    yield from _table(
        ("variable", "reader"), ((f"`{name}`", text) for name, text in ELSEWHERE.items())
    )


def _setting_row(setting: Setting) -> Sequence[str]:
    meanings, defaults = _attributes(setting.group), _defaults(setting)
    told = ", ".join(f"{process}: {default}" for process, default in defaults.items())
    if len(set(defaults.values())) == 1:
        told = next(iter(defaults.values()))
    return (
        f"`{setting.name}`",
        told,
        meanings[setting.key],
        f"`{setting.old}`" if setting.old else "",
    )


def _defaults(setting: Setting) -> dict[str, str]:
    """Return the default of each process that reads a setting."""
    return {
        name: _default(own)
        for name, process in _PROCESSES.items()
        for own in settings_of(process)
        if own.name == setting.name
    }


def _default(setting: Setting) -> str:
    default = setting.field.default
    if setting.name in _NAMELESS:
        return _NAMELESS[setting.name]
    if default is PydanticUndefined:
        return "required"
    if default is None or default == "":
        return "none"
    text = ",".join(default) if isinstance(default, tuple) else str(default)
    return f"`{text}`"


def _attributes(group: type) -> dict[str, str]:
    """Return what the section "Attributes" of a class says of each."""
    _, _, section = (inspect.getdoc(group) or "").partition("Attributes:\n")
    found = re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", section, re.MULTILINE)
    return {name: re.sub(r"\s+", " ", text).replace("``", "`") for name, text in found}


def _first_line(of: type) -> str:
    return (inspect.getdoc(of) or "").partition("\n")[0].rstrip(".")


# ----------------------------------------------------------------------------------- errors
def _errors() -> Iterator[str]:
    yield "Programs match on `code`, which never changes. The remedy is what a page tells whoever"
    yield "sent the image."
    yield ""
    for root, cause in CAUSES.items():
        yield f"## {root.__name__}"
        yield ""
        yield cause
        yield ""
        rows = (
            (
                f"`{kind.code}`",
                str(int(status_of(kind("")))),
                _meaning(kind),
                ADVICE.get(kind.code, ""),
            )
            for kind in classes_of(root)
        )
        yield from _table(("code", "HTTP status", "meaning", "remedy"), rows)


def classes_of(root: type[HilumError]) -> Iterator[type[HilumError]]:
    """Return a class of errors and all below it."""
    yield root
    for child in root.__subclasses__():
        yield from classes_of(child)


def _meaning(kind: type[HilumError]) -> str:
    text = (inspect.getdoc(kind) or "").partition("\n\n")[0]
    return re.sub(r"\s+", " ", text).replace("``", "`")


# ---------------------------------------------------------------------------------- metrics
def _metrics() -> Iterator[str]:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    depth = QueueDepth(queued=1, running=1, oldest_queued_at=now)
    depths = QueueDepths(
        now,
        {ANALYSIS.kind: dict.fromkeys(Priority, depth)},
        {"north/pacs": DestinationDepth(1, now, 0)},
    )
    registries: dict[str, CollectorRegistry] = {
        "Gateway": Metrics(lambda: depths).registry,
        "Worker": WorkerMetrics(cast("Any", None)).registry,
        "Listener: the sums of its processes": ListenerMetrics().registry,
        "Listener: its supervisor": SupervisorMetrics().registry,
        "Known-answer test beside Triton": KnownAnswerMetrics().registry,
        "Engine build (a text file)": EngineMetrics().registry,
    }
    yield "Each process also tells `process_*` about itself. An old name is told beside the new one"
    yield "until 0.4.0."
    yield ""
    for process, registry in registries.items():
        yield f"## {process}"
        yield ""
        head = ("metric", "type", "labels", "meaning", "old name")
        yield from _table(head, sorted(_metric_rows(registry)))


def _metric_rows(registry: CollectorRegistry) -> Iterator[Sequence[str]]:
    for collector in registry._collector_to_names:  # noqa: SLF001 - the library has no other list
        if type(collector).__module__ == "prometheus_client.process_collector":
            continue
        for metric in collector.describe() or collector.collect():
            labels = getattr(collector, "_labelnames", None) or sorted(
                {label for sample in metric.samples for label in sample.labels}
            )
            old = OLD_NAMES.get(metric.name, "").removesuffix("_total")
            total = "_total" if metric.type == "counter" else ""
            yield (
                f"`{metric.name}{total}`",
                metric.type,
                ", ".join(f"`{label}`" for label in labels if label != "le"),
                metric.documentation.rstrip("."),
                f"`{old}{total}`" if old else "",
            )


# ----------------------------------------------------------------------------------- events
def _events() -> Iterator[str]:
    yield "The event is the member `message` of a line. Where `trace` is on a line, it is the"
    yield "traceback of a defect. `error` is a code of [errors](errors.md) and its detail. The"
    yield "modules are the values of `logger` for most lines. Besides its own fields each line has"
    yield "those of the request or the item, see [operations](../operations.md#logs)."
    yield ""
    events, _ = of_product()
    rows = (
        (
            f"`{name}`",
            ", ".join(sorted(event.levels, key=logging.getLevelNamesMapping().__getitem__)),
            ", ".join(f"`{one}`" for one in event.fields),
            MEANINGS.get(name, ""),
            ", ".join(f"`{one}`" for one in sorted(event.modules)),
        )
        for name, event in events.items()
    )
    yield from _table(("event", "level", "fields", "meaning", "module"), rows)


def main() -> int:
    """Write the pages, or tell with ``--check`` how they differ.

    Returns:
        1 where they differ or a line of the log is not as it must be, 0 otherwise.
    """
    events, calls = of_product()
    wrong = [*calls, *unexplained(events)]
    sys.stdout.writelines(f"{line}\n" for line in wrong)
    if wrong:
        return 1
    if "--check" not in sys.argv[1:]:
        FOLDER.mkdir(exist_ok=True)
        for name, text in pages().items():
            (FOLDER / name).write_text(text, encoding="utf-8")
        return 0
    told = []
    for name, text in pages().items():
        path = FOLDER / name
        kept = path.read_text(encoding="utf-8") if path.exists() else ""
        told += difflib.unified_diff(kept.splitlines(1), text.splitlines(1), f"{name}", "the code")
    sys.stdout.writelines(told)
    if told:
        sys.stdout.write("docs/reference differs from the code: commit what make reference wrote\n")
    return int(bool(told))


if __name__ == "__main__":
    sys.exit(main())

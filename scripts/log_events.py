# ruff: noqa: INP001 - beside a script that is run by its path
"""Find the events of the log in the syntax trees of the product, and say what each means."""

from __future__ import annotations

import ast
import logging
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hilum.runtime.plain_logs import OF_RECORD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ROOT: Final = Path(__file__).parents[1]
FOLDERS: Final = ("hilum", "services")
LEVELS: Final = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})
OF_LINE: Final = frozenset({"time", "level", "logger", "trace", "event"})
"""Members that each line has by itself, so no names of fields."""

_EVENT: Final = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")
_MAKERS: Final = frozenset({"getLogger", "get_logger"})
_NO_FIELDS: Final = frozenset({"exc_info", "stack_info", "stacklevel", "extra"})

MEANINGS: Final = {
    "address.rewritten": "The database URL names a driver that is gone. Change the URL",
    "association.crashed": "A defect kept an association from being recorded",
    "association.ended": (
        "A DICOM association ended, or was rejected for this reason, or its connection did not "
        "come so far. Counts are of C-STOREs"
    ),
    "association.unrecorded": "The row of an association could not be written",
    "attempt.crashed": "A defect ended a run. The item is failed with `internal_error`",
    "attempt.ended": "A run of an item ended, and left it in this state",
    "backup_claim.kept": (
        "The claim of this process (`own`), or an old one of another, could not be deleted from "
        "the backup store. It counts for nothing half an hour after its last renewal"
    ),
    "backup_claim.withdrawn": (
        "This process may not delete its claim from the backup store, and withdrew it instead"
    ),
    "breaker.changed": "Claims go on step by step (`half_open`), or as before (`closed`)",
    "certificate.loaded": "New connections get a new certificate",
    "certificate.refused": "The files of the certificate changed and do not fit. The old one stays",
    "check.crashed": "A defect in a check of readiness. That part counts as not ready",
    "check.failed": "A part that the gateway needs is not well",
    "clock.stepped": "The machine's clock jumped. Timers are set again",
    "connection.crashed": "A defect ended one DICOM connection. Others go on",
    "consumer.started": "The worker takes wake-ups from these queues of the broker",
    "drain.crashed": "A defect ended a slot's work. What is left stays in the database",
    "drain.failed": "The database is down. The reconciler wakes a slot for what is left",
    "drain.incomplete": "Associations did not end within the grace of a stop. They are cut off",
    "engine.built": "A TensorRT engine was built and checked",
    "engine.failed": "A model gets no TensorRT engine, and ONNX Runtime serves it",
    "known_answers.crashed": "A defect of the known-answer test. It counts as a wrong answer",
    "known_answers.compared": "The known-answer test has another outcome than before",
    "lease.lost": "Another worker has the item. What this one found is dropped",
    "listener.started": "The listener supervises its processes",
    "measurement.failed": "The database is down. `/metrics` has no figures of the queue meanwhile",
    "message.dropped": "A file in the broker's folder is no message. Nothing is lost by it",
    "model.promoted": "A first start: the site reads with this version from now on",
    "models.assumed": "The database is down at the start. The newest versions are warmed up",
    "models.kept": "The database is down. The site reads with the models that were last seen",
    "models.warmed": "Each model has answered once",
    "object.answered": "A C-STORE was answered. `status` is in hex",
    "object.crashed": "A defect over one object of a sender, which is told to try again",
    "report.crashed": "A defect over a report of storage commitment, whose sender is told so",
    "object.orphaned": (
        "Bytes that no row names could not be deleted. `hilum maintain retention --orphans` "
        "removes them"
    ),
    "object_check.failed": "Not known whether the bytes of an image that came again are kept",
    "outcome.delayed": "The database is down. The outcome of a run is written again for 60 s",
    "poll.failed": "Job changes could not be read. Listeners are told after the next poll",
    "preview.dropped": "A preview could not be kept. The next look makes it again",
    "probe.failed": "A dependency did not do what work needs of it",
    "probes.served": "The known-answer test answers on this port",
    "process.died": "A process of the listener died. It is started again",
    "request.crashed": "A defect. The client is answered `internal_error`",
    "request.ended": "The access log. Status 0: the client left before an answer",
    "request.failed": "An answer of 500 or above, with the reason that the client is not told",
    "setting.misnamed": "An old or unknown name in the environment",
    "start.failed": "Wrong settings or models. The process ends with 78, no restart helps",
    "timer.failed": "An action of a timer failed. It is called again",
    "wakeup.failed": "The broker took no wake-up. The reconciler sends one. No image is lost",
    "warm_up.failed": "The inference server is down at the start. The first image pays for loading",
    "watcher.crashed": "A defect. Listeners of job changes are let go and come back",
    "worker.hung": "Each slot hangs. The process ends with 70 and is to be started again",
}


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a logger.

    Attributes:
        place: Path and line.
        module: That makes it.
        levels: In upper case. A level that is chosen when it runs has several.
        event: None where it is no literal.
        fields: In the order of the call.
        problem: What is wrong with it, or empty.
    """

    place: str
    module: str
    levels: set[str]
    event: str | None
    fields: tuple[str, ...]
    problem: str


@dataclass(slots=True)
class Event:
    """An event with all calls that log it."""

    levels: set[str] = field(default_factory=set)
    fields: dict[str, None] = field(default_factory=dict)
    modules: set[str] = field(default_factory=set)


def calls(path: str, text: str) -> Iterator[Call]:
    """Return each call of a logger in a module."""
    tree = ast.parse(text)
    loggers = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and _makes_logger(node.value)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        of = node.func.value
        known = isinstance(of, ast.Name) and of.id in {*loggers, "logging"}
        if node.func.attr in LEVELS and (known or _makes_logger(of)):
            yield _call(path, node, node.func.attr, tree)


def _makes_logger(node: ast.expr | None) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in _MAKERS


def _call(path: str, node: ast.Call, method: str, tree: ast.Module) -> Call:
    rest = node.args[1:] if method == "log" else node.args
    event, problem = None, ""
    if len(rest) == 1 and isinstance(rest[0], ast.Constant) and isinstance(rest[0].value, str):
        event = rest[0].value
    if event is None or not _EVENT.fullmatch(event):
        problem = "the message is no literal `noun.verb`"
    fields = [each.arg for each in node.keywords if each.arg not in _NO_FIELDS]
    for extra in (each.value for each in node.keywords if each.arg == "extra"):
        fields += _keys(_literal(extra, tree))
    if None in fields:
        problem = problem or "its fields are not literal"
    names = tuple(name for name in fields if name is not None)
    if taken := {*names} & (OF_RECORD | OF_LINE):
        problem = problem or f"fields have names that are taken: {', '.join(sorted(taken))}"
    levels = {"ERROR" if method == "exception" else method.upper()}
    if method == "log":
        level = _literal(node.args[0], tree)
        named = {one.attr for one in ast.walk(level) if isinstance(one, ast.Attribute)}
        levels = named & logging.getLevelNamesMapping().keys()
    module = re.sub(r"^services/\w+/", "", path).removesuffix(".py").replace("/", ".")
    return Call(f"{path}:{node.lineno}", module, levels, event, names, problem)


def _literal(told: ast.expr, tree: ast.Module) -> ast.expr:
    """Return the expression itself, or the one that the name was last given before it."""
    if not isinstance(told, ast.Name):
        return told
    given = [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and node.lineno < told.lineno
        and any(isinstance(target, ast.Name) and target.id == told.id for target in node.targets)
    ]
    return max(given, key=lambda one: one[0])[1] if given else told


def _keys(extra: ast.expr) -> Sequence[str | None]:
    """Return the keys of a dictionary; None for what is not literal."""
    if not isinstance(extra, ast.Dict):
        return [None]
    return [getattr(key, "value", None) for key in extra.keys]


@cache
def of_product() -> tuple[dict[str, Event], list[str]]:
    """Return the events of the product by name, and what is wrong with its calls."""
    modules = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            # Most modules log nothing and need not be parsed.
            if "logging" in text or "structlog" in text:
                modules.append((path.relative_to(ROOT).as_posix(), text))
    return found(modules)


def found(modules: Iterable[tuple[str, str]]) -> tuple[dict[str, Event], list[str]]:
    """Return the events of modules by name, and what is wrong with the calls."""
    events: dict[str, Event] = {}
    wrong = []
    for path, text in modules:
        for call in calls(path, text):
            if call.problem or call.event is None:
                wrong.append(f"{call.place}: {call.problem}")
                continue
            event = events.setdefault(call.event, Event())
            event.levels.update(call.levels)
            event.fields.update(dict.fromkeys(call.fields))
            event.modules.add(call.module)
    return dict(sorted(events.items())), wrong


def unexplained(events: Iterable[str]) -> list[str]:
    """Return a sentence for each event without a meaning, and each meaning without an event."""
    names = {*events}
    return [
        *(f"the event {name} has no meaning in MEANINGS" for name in sorted(names - {*MEANINGS})),
        *(f"nothing logs the event {name} of MEANINGS" for name in sorted({*MEANINGS} - names)),
    ]

# ruff: noqa: INP001 - beside a script that is run by its path
"""Fill the tables of docs/conformance.md from the code of the listener."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydicom.uid import UID

from hilum.adapters.dicom.network.dimse_sender import OFFERED
from hilum.adapters.dicom.network.status import answer_of
from hilum.adapters.dicom.transfer_syntax import readable_syntaxes
from hilum.application.ports.pacs import Answer
from hilum.domain.errors import Rejected
from hilum.runtime.listener_group import Listener
from hilum_listener.offered import (
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
    STORAGE_COMMITMENT,
    STORED,
    VERIFICATION,
    VERIFICATION_SYNTAXES,
)
from hilum_listener.rejections import CODES
from hilum_listener.statuses import MEANINGS, NOT_FOR_US, Status, status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from hilum.domain.errors import HilumError

PAGE: Final = Path(__file__).parents[1] / "docs" / "conformance.md"
_MARKED: Final = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_TRANSIENT: Final = 2


def filled(text: str) -> str:
    """Return the page with each table as the code has it now.

    Raises:
        KeyError: A table of the page is none of ours.
    """
    return _MARKED.sub(lambda found: "\n".join([found[1], *_TABLES[found[2]](), found[3]]), text)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _sop_classes() -> Iterator[str]:
    rows = [(UID(VERIFICATION).name, VERIFICATION, "C-ECHO")]
    rows += [(name, sop_class, "C-STORE") for sop_class, name in STORED.items()]
    commitment = UID(STORAGE_COMMITMENT).name
    rows.append((commitment, STORAGE_COMMITMENT, "N-EVENT-REPORT, as SCU of the peer"))
    return _table(("SOP class", "UID", "service, as SCP"), rows)


def _contexts() -> Iterator[str]:
    verification = ", ".join(UID(one).name for one in VERIFICATION_SYNTAXES)
    yield f"Verification and Storage Commitment: {verification}. Storage: the transfer syntaxes"
    yield "below. The first of them that the sender proposes is accepted."
    yield ""
    rows = ((UID(one).name, one) for one in readable_syntaxes())
    yield from _table(("transfer syntax", "UID"), rows)


def _statuses() -> Iterator[str]:
    codes: dict[Status, list[str]] = {status: [] for status in Status}
    for kind in _leaves(Rejected):
        codes[status_of(kind(""))].append(f"`{kind.code}`")
    codes[Status.OUT_OF_RESOURCES] = [
        f"`{code}`" for code in ("database_unavailable", "object_store_unavailable")
    ]
    rows = ((f"0x{status:04X}", MEANINGS[status], ", ".join(codes[status])) for status in Status)
    return _table(("status", "meaning", "codes in the Error Comment"), rows)


def _not_for_us() -> Iterator[str]:
    yield ", ".join(f"`{code}`" for code in sorted(NOT_FOR_US)) + "."
    yield ""


def _rejections() -> Iterator[str]:
    rows = (
        (
            f"`{reason}`",
            f"{result} ({'transient' if result == _TRANSIENT else 'permanent'})",
            str(source),
            str(diagnostic),
        )
        for reason, (result, source, diagnostic) in CODES.items()
    )
    return _table(("reason", "result", "source", "diagnostic"), rows)


def _identity() -> Iterator[str]:
    default = Listener.model_fields
    rows = (
        ("Implementation Class UID", IMPLEMENTATION_CLASS_UID),
        ("Implementation Version Name", IMPLEMENTATION_VERSION_NAME),
        ("AE title", str(default["ae_title"].default)),
        ("port", str(default["port"].default)),
        ("maximum PDU length", f"{default['max_pdu_bytes'].default} bytes"),
        ("associations", f"{default['max_associations'].default} in each process"),
        ("processes", str(default["processes"].default)),
        ("asynchronous operations", "1 (not negotiated)"),
    )
    return _table(("parameter", "default"), rows)


def _sent() -> Iterator[str]:
    services = {VERIFICATION: "C-ECHO", STORAGE_COMMITMENT: "N-ACTION"}
    rows = (
        (
            UID(sop_class).name,
            sop_class,
            services.get(sop_class, "C-STORE"),
            ", ".join(UID(one).name for one in syntaxes),
        )
        for sop_class, syntaxes in OFFERED
    )
    return _table(("SOP class", "UID", "service, as SCU", "transfer syntaxes"), rows)


def _answers() -> Iterator[str]:
    tried = {
        "0x0000": (0x0000,),
        "0xA7xx": (0xA700, 0xA7FF),
        "0xA9xx": (0xA900, 0xA9FF),
        "0xBxxx": (0xB000, 0xB006, 0xB007, 0xBFFF),
        "0xCxxx": (0xC000, 0xCFFF),
        "0x0110": (0x0110,),
        "0x0122": (0x0122,),
        "0x0124": (0x0124,),
        "0x0213": (0x0213,),
    }
    meant = {
        Answer.SENT: "taken",
        Answer.LATER: "sent again, longer apart each time, for a day",
        Answer.REFUSED: "not sent again: a dead letter with the peer's words",
    }
    rows = []
    for name, statuses in tried.items():
        (answer,) = {answer_of(status, None)[0] for status in statuses}
        rows.append((name, meant[answer]))
    return _table(("status", "what follows"), rows)


def _leaves(kind: type[HilumError]) -> Iterator[type[HilumError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _leaves(child)


_TABLES: Final[dict[str, Callable[[], Iterator[str]]]] = {
    "sop_classes": _sop_classes,
    "contexts": _contexts,
    "statuses": _statuses,
    "not_for_us": _not_for_us,
    "rejections": _rejections,
    "identity": _identity,
    "sent": _sent,
    "answers": _answers,
}

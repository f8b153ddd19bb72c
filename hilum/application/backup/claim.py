"""Who works on a backup store: backups may be made side by side, never while some are removed.

Removal deletes from the mirror what no complete backup names. A backup in the making counts on
what the mirror holds and is not complete yet. So each says what it does before it looks what the
others do: of two that begin at once, at least one sees the other.

Who makes backups needs no right to delete: what may not be deleted is written over instead, and
whoever removes backups deletes it.
"""

from __future__ import annotations

import json
import logging
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Self

from hilum.domain.errors import BackupStoreBusy, ObjectMissing, ObjectStoreUnavailable

if TYPE_CHECKING:
    from types import TracebackType

    from hilum.application.ports.clock import Clock
    from hilum.application.ports.object_store import ObjectStore

MAKING: Final = "making"
REMOVING: Final = "removing"
_WITHDRAWN: Final = "withdrawn"

RENEWED_EVERY: Final = timedelta(minutes=1)
STALE_AFTER: Final = timedelta(minutes=30)
"""A claim that was not renewed for so long belongs to a process that died."""

_CLAIMS: Final = "claims/"

_LOG = logging.getLogger(__name__)


class Claim:
    """``with Claim(store, clock, MAKING) as claim:`` around the work, ``claim.renew()`` inside."""

    def __init__(self, store: ObjectStore, clock: Clock, what: str) -> None:
        self._store = store
        self._clock = clock
        self._what = what
        self._key = f"{_CLAIMS}{uuid.uuid4().hex}.json"
        self._renewed: datetime | None = None

    def __enter__(self) -> Self:
        """Claim the store.

        Raises:
            BackupStoreBusy: Another process does what cannot be done at the same time.
        """
        self._write()
        try:
            self._require_alone()
        except BaseException:
            self._withdraw()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Withdraw the claim."""
        self._withdraw()

    def renew(self, *, now: bool = False) -> None:
        """Say that the work goes on; writes once a minute at most, and ``now`` if told to.

        Raises:
            BackupStoreBusy: The claim was taken for a dead process's, or may have been.
        """
        last = self._renewed
        if last is not None and not now and self._clock.now() - last < RENEWED_EVERY:
            return
        # Its claim may still lie there: who makes backups takes it for stale and may not delete it.
        if self._what == REMOVING and last is not None and self._stale(last):
            raise BackupStoreBusy("this process stood still for too long: begin again")
        try:
            self._store.get(self._key)
        except ObjectMissing as error:
            raise BackupStoreBusy(
                "this process stood still for too long and another one has removed backups "
                "meanwhile: begin again"
            ) from error
        self._write()

    def _write(self) -> None:
        self._renewed = self._clock.now()
        self._say(self._what, self._renewed)

    def _say(self, what: str, renewed: datetime) -> None:
        text = json.dumps({"what": what, "renewed_at": renewed.isoformat()})
        self._store.put(self._key, [text.encode()], media_type="application/json")

    def _withdraw(self) -> None:
        try:
            self._store.delete(self._key)
        except ObjectStoreUnavailable as refused:
            try:
                # An older release does not know the word: to it, the claim is stale.
                self._say(_WITHDRAWN, datetime.fromtimestamp(0, UTC))
            except ObjectStoreUnavailable:
                facts = {"claim": self._key, "own": True, "error": refused.sentence}
                _LOG.warning("backup_claim.kept", extra=facts)
            else:
                facts = {"claim": self._key, "error": refused.sentence}
                _LOG.warning("backup_claim.withdrawn", extra=facts)

    def _require_alone(self) -> None:
        for item in self._store.list(_CLAIMS):
            if item.key == self._key:
                continue
            what, renewed = self._other(item.key)
            if what is None or (what, self._what) == (MAKING, MAKING):
                continue
            if what != _WITHDRAWN and renewed is not None and not self._stale(renewed):
                doing = "being made" if what == MAKING else "being removed"
                raise BackupStoreBusy(
                    f"backups are {doing} in this store; if that process died, try again after "
                    f"{(renewed + STALE_AFTER).isoformat(timespec='minutes')}"
                )
            self._clear(item.key)

    def _clear(self, key: str) -> None:
        """Delete what another process left behind."""
        try:
            self._store.delete(key)
        except ObjectStoreUnavailable as refused:
            if self._what == REMOVING:
                raise
            # A removal that has stood still this long gives up by itself when it wakes.
            facts = {"claim": key, "own": False, "error": refused.sentence}
            _LOG.warning("backup_claim.kept", extra=facts)

    def _stale(self, renewed: datetime) -> bool:
        return self._clock.now() - renewed >= STALE_AFTER

    def _other(self, key: str) -> tuple[str | None, datetime | None]:
        """What another claim says; nothing where it was withdrawn meanwhile."""
        try:
            document = json.loads(self._store.get(key))
            return str(document["what"]), datetime.fromisoformat(document["renewed_at"])
        except ObjectMissing:
            return None, None
        except (ValueError, KeyError, TypeError):
            return "unknown", None

"""Remove old backups, and from the mirror what no backup needs any more."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from hilum.application.backup.backup_store import mirror_key
from hilum.application.backup.claim import REMOVING, Claim
from hilum.application.backup.pairing import paired
from hilum.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from hilum.application.backup.backup_store import BackupStore
    from hilum.application.ports.clock import Clock
    from hilum.domain.backup import BackedUpObject, BackupManifest


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed: backups, those that were never finished, and objects of the mirror."""

    backups: tuple[str, ...]
    unfinished: tuple[str, ...]
    objects: int
    object_bytes: int


class PruneBackups:
    """Keeps a backup store from growing for ever."""

    def __init__(self, *, backups: BackupStore, clock: Clock) -> None:
        self._backups = backups
        self._clock = clock

    def __call__(self, *, keep: int, younger_than: timedelta | None = None) -> Pruned:
        """Remove backups and what only they needed.

        Args:
            keep: The newest so many stay.
            younger_than: And those that are not this old yet.

        Raises:
            BackupStoreBusy: A backup is being made, or others are being removed.
            InvalidRequest: Nothing would be kept.
            BackupDamaged: A backup that stays cannot be read, so nobody knows what it needs;
                nothing was removed.
            ObjectStoreUnavailable: The backup store does not answer.
        """
        if keep < 1:
            raise InvalidRequest("keep at least one backup")
        with Claim(self._backups.store, self._clock, REMOVING) as claim:
            names, unfinished = self._backups.names()
            kept, old = self._divide(
                [self._backups.manifest(name) for name in names], keep, younger_than
            )
            for manifest in kept:  # read whole before anything goes
                for _ in self._backups.objects(manifest):
                    claim.renew()
            for name in [*(manifest.name for manifest in old), *unfinished]:
                claim.renew(now=True)
                self._backups.remove(name)
            objects, size = self._sweep(kept, claim)
        return Pruned(tuple(manifest.name for manifest in old), tuple(unfinished), objects, size)

    def _divide(
        self, manifests: Sequence[BackupManifest], keep: int, younger_than: timedelta | None
    ) -> tuple[list[BackupManifest], list[BackupManifest]]:
        """Those that stay and those that go."""
        newest = {manifest.name for manifest in manifests[-keep:]}
        kept: list[BackupManifest] = []
        old: list[BackupManifest] = []
        for manifest in manifests:
            young = younger_than is not None and self._clock.now() - manifest.made_at < younger_than
            (kept if manifest.name in newest or young else old).append(manifest)
        return kept, old

    def _sweep(self, kept: Sequence[BackupManifest], claim: Claim) -> tuple[int, int]:
        """Delete from the mirror what none of these backups lists; how many, how many bytes."""
        objects = size = 0
        for found in paired(self._needed(kept), self._backups.mirrored()):
            claim.renew()
            if found.left is None and found.right is not None:
                self._backups.store.delete(mirror_key(found.key))
                objects += 1
                size += found.right.size_bytes
        return objects, size

    def _needed(self, kept: Sequence[BackupManifest]) -> Iterator[BackedUpObject]:
        """The objects of all these backups in the order of their keys, each once."""
        by_key = attrgetter("key")
        merged = heapq.merge(*(self._backups.objects(manifest) for manifest in kept), key=by_key)
        for _, same in groupby(merged, by_key):
            yield next(same)

"""What a dependency is asked to do, to tell whether it works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.domain.errors import ObjectStoreUnavailable
from hilum.domain.object_keys import PROBES

if TYPE_CHECKING:
    from hilum.application.ports.object_store import ObjectStore


def probe_object_store(store: ObjectStore) -> None:
    """Store an object and fetch it. It stays, since other workers write the same one.

    Raises:
        ObjectStoreUnavailable: It does not do that, or gives back other bytes.
    """
    content = b"probe"
    store.put(f"{PROBES}worker", [content], media_type="application/octet-stream")
    if store.get(f"{PROBES}worker") != content:
        raise ObjectStoreUnavailable("the object store gives back other bytes")

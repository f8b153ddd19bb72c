"""What the listener is told by its environment; nothing else here reads it."""

from __future__ import annotations

from hilum.runtime.listener_group import Listener
from hilum.runtime.setting_groups import (
    Broker,
    Database,
    Image,
    Log,
    Metrics,
    Model,
    ObjectStore,
    Tracing,
)
from hilum.runtime.settings import ProcessSettings


class ListenerSettings(ProcessSettings):
    """Settings of one listener."""

    database: Database
    object_store: ObjectStore
    broker: Broker
    model: Model
    listener: Listener
    image: Image
    metrics: Metrics
    log: Log
    tracing: Tracing

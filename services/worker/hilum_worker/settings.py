"""What the worker is told by its environment; nothing else here reads it."""

from __future__ import annotations

from hilum.runtime.delivery_group import Delivery
from hilum.runtime.setting_groups import (
    Broker,
    Database,
    Image,
    Inference,
    Log,
    Metrics,
    Model,
    ObjectStore,
    Queue,
    Tracing,
    Worker,
)
from hilum.runtime.settings import ProcessSettings


class WorkerSettings(ProcessSettings):
    """Settings of one worker process."""

    database: Database
    object_store: ObjectStore
    broker: Broker
    inference: Inference
    model: Model
    worker: Worker
    queue: Queue
    metrics: Metrics
    log: Log
    tracing: Tracing
    image: Image
    delivery: Delivery

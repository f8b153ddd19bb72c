"""A client in a process of its own: what it trusts is read from its environment, once.

Run as ``python -m tests.integration.servers.tls_client KIND URL``; prints ``ok``, or the error.
"""

from __future__ import annotations

import sys

from sqlalchemy import text

from hilum.adapters.inference.inference import open_inference
from hilum.adapters.model_catalogue.model_catalogue import FilesystemModelCatalogue
from hilum.adapters.object_store.object_store import open_object_store
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.task_queue.celery_app import create_celery
from hilum.adapters.task_queue.celery_queue import CeleryTaskQueue
from hilum_engine.model_bucket import ModelBucket
from tests.servers import MODEL_REPOSITORY


def ask(kind: str, url: str) -> None:
    """One small request through the adapter that production uses."""
    match kind:
        case "postgres":
            with create_database_engine(url).connect() as connection:
                encrypted = connection.execute(
                    text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
                ).scalar_one()
            if not encrypted:
                raise RuntimeError("in the clear")
        case "redis":
            CeleryTaskQueue(create_celery(url)).check()
        case "minio":
            open_object_store(url, create=True).check()
        case "models":
            list(ModelBucket.open(url).client.list_buckets())
        case "triton":
            model = FilesystemModelCatalogue(MODEL_REPOSITORY).current().models[0]
            open_inference(url, MODEL_REPOSITORY).check(model)
        case _:
            raise ValueError(kind)


if __name__ == "__main__":
    try:
        ask(*sys.argv[1:])
    except Exception as error:  # noqa: BLE001 - told to the parent
        sys.stdout.write(f"{type(error).__name__}: {error} {error.__cause__!r}\n")
    else:
        sys.stdout.write("ok\n")

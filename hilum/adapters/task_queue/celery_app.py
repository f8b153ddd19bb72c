"""The Celery application: the same for the gateway, which publishes, and for the worker.

A wake-up only says that the database has work. That decides most settings here: a lost wake-up is
published again by the reconciler, and one too many finds nothing to claim. Redis has no cap on
redelivery, and none is needed, because the attempts that count are those in the database.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote, urlsplit

from celery import Celery
from kombu import Exchange, Queue

from hilum.application.queue.messages import FORMER_QUEUES, OTHER_QUEUES, QUEUES
from hilum.domain.job import Priority

VISIBILITY_TIMEOUT_S: Final = 600
"""When Redis gives a wake-up to another worker that was taken and not acknowledged.

Longer than a slot drains its queues. The lease in the database is what notices a lost worker, much
earlier."""

SOFT_SHUTDOWN_S: Final = 60.0
"""How long a worker that was asked to stop may finish its jobs; longer than one job."""

POLLING_INTERVAL_S: Final = 0.02
"""How often the filesystem transport looks, also while every thread of its worker is busy.

Kombu sleeps this long with nothing to take or no thread to give it to, so it bounds what one worker
reads: at 0.1 a worker with two threads read 19 films per second, at 0.02 it reads 50 and its
cores are busy. Idle, it costs a percent of one core."""

_CONNECT_TIMEOUT_S: Final = 1.0
_ANSWER_TIMEOUT_S: Final = 2.0
_HEALTH_CHECK_S: Final = 15
_EXCHANGE: Final = Exchange("hilum", type="direct")


def create_celery(broker_url: str) -> Celery:
    """Make the application; connects to nothing.

    Args:
        broker_url: ``redis://:password@host:port/0``, ``rediss://`` likewise, or
            ``filesystem:///absolute/folder``.

    Raises:
        ValueError: The URL is none of these; the text does not repeat it, for it may hold a
            password.
    """
    app = Celery("hilum", set_as_current=False)
    app.conf.update(_shared_settings())
    scheme = urlsplit(broker_url).scheme
    if scheme in {"redis", "rediss"}:
        app.conf.update(_redis_settings(broker_url, tls=scheme == "rediss"))
    elif scheme == "filesystem":
        app.conf.update(_folder_settings(broker_url))
    else:
        raise ValueError("the broker's URL begins with none of redis, rediss, filesystem")
    return app


def _shared_settings() -> dict[str, Any]:
    return {
        "task_queues": [
            Queue(name, exchange=_EXCHANGE, routing_key=name)
            for names in (QUEUES, OTHER_QUEUES, FORMER_QUEUES)
            for name in names.values()
        ],
        "task_default_queue": QUEUES[Priority.ROUTINE],
        "task_create_missing_queues": False,
        # JSON alone: nobody who can write to the broker may run code in a worker.
        "task_serializer": "json",
        "accept_content": ["json"],
        "result_accept_content": ["json"],
        # Results are rows; nothing waits for Celery's.
        "result_backend": None,
        "task_ignore_result": True,
        # A wake-up is acknowledged when its slot has drained the queues, not before.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_soft_shutdown_timeout": SOFT_SHUTDOWN_S,
        # Nothing travels over the broker but wake-ups.
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "task_send_sent_event": False,
        # The process that hosts Celery owns logging.
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        # A worker waits for its broker for ever. Who publishes does not, see celery_queue.
        "broker_connection_retry": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_connection_timeout": _CONNECT_TIMEOUT_S,
        "broker_pool_acquire_timeout": _ANSWER_TIMEOUT_S,
        "task_publish_retry": False,
        "enable_utc": True,
        "timezone": "UTC",
    }


def _redis_settings(broker_url: str, *, tls: bool) -> dict[str, Any]:
    return {
        "broker_url": broker_url,
        "broker_transport": "hilum.adapters.task_queue.redis_transport:Transport",
        "broker_use_ssl": {"ssl_cert_reqs": "required"} if tls else False,
        "broker_transport_options": {
            "visibility_timeout": VISIBILITY_TIMEOUT_S,
            # Queues in the order of QUEUES: routine work waits while there is stat work.
            "queue_order_strategy": "priority",
            # Urgency is a queue of its own, so each queue is one list in Redis.
            "priority_steps": [0],
            "socket_connect_timeout": _CONNECT_TIMEOUT_S,
            "socket_timeout": _ANSWER_TIMEOUT_S,
            "socket_keepalive": True,
            "health_check_interval": _HEALTH_CHECK_S,
            "client_name": "hilum",
            **_NO_WAITING,
        },
        # The documentation names three places for this number and asks for the same in all, the
        # second only because a result backend would take part in it.
        "result_backend_transport_options": {"visibility_timeout": VISIBILITY_TIMEOUT_S},
        "visibility_timeout": VISIBILITY_TIMEOUT_S,
    }


def _folder_settings(broker_url: str) -> dict[str, Any]:
    parts = urlsplit(broker_url)
    folder = unquote(parts.path).rstrip("/")
    if parts.netloc or not folder:
        raise ValueError("the broker's URL is filesystem:// and the absolute path of a folder")
    return {
        "broker_url": "filesystem://",
        "broker_transport": "hilum.adapters.task_queue.folder_transport:Transport",
        "broker_transport_options": {
            "data_folder_in": folder,
            "data_folder_out": folder,
            "control_folder": folder,
            "processed_folder": folder,
            "store_processed": False,
            "polling_interval": POLLING_INTERVAL_S,
            **_NO_WAITING,
        },
    }


_NO_WAITING: Final[dict[str, float]] = {
    "max_retries": 0,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}
"""Kombu waits for a broker by itself before a publish; :class:`CeleryTaskQueue` tries again."""

"""What the gateway is told by its environment; nothing else here reads it."""

from __future__ import annotations

from hilum.runtime.setting_groups import (
    Broker,
    Database,
    Events,
    Http,
    Image,
    Log,
    Metrics,
    Model,
    ObjectStore,
    Session,
    Tls,
    Tracing,
    Upload,
)
from hilum.runtime.settings import ProcessSettings


class Settings(ProcessSettings):
    """Settings of one gateway process."""

    database: Database
    object_store: ObjectStore
    broker: Broker
    model: Model
    session: Session
    http: Http
    tls: Tls
    metrics: Metrics
    log: Log
    tracing: Tracing
    image: Image
    upload: Upload
    events: Events

    @property
    def cookies_need_tls(self) -> bool:
        """Whether browsers are told to send cookies over HTTPS only."""
        return self.session.secure_cookies or self.tls.certificate is not None

    @property
    def database_connections(self) -> int:
        """Size of the pool: one a request thread, and some for the uploads that commit just now."""
        return self.http.max_threads + max(2, self.upload.max_threads // 4)

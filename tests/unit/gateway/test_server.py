"""The HTTP server's settings."""

from __future__ import annotations

from hilum_gateway.server import create_server
from tests.unit.gateway.api import FakeGateway, fake_settings


def test_no_proxy_is_believed_unless_it_is_named():
    """Anybody could claim another address otherwise."""
    gateway = FakeGateway()
    assert not create_server(gateway.app, gateway.settings).config.proxy_headers
    named = fake_settings(http={"trusted_proxies": "10.0.0.1"})
    config = create_server(gateway.app, named).config
    assert config.proxy_headers
    assert config.forwarded_allow_ips == "10.0.0.1"


def test_a_stop_waits_for_uploads_and_not_for_ever():
    """The grace period is the configured one."""
    settings = fake_settings(http={"shutdown_grace_seconds": 7})
    config = create_server(FakeGateway().app, settings).config
    assert config.timeout_graceful_shutdown == 7


def test_the_server_does_not_say_what_it_is_and_logs_nothing_twice():
    """No Server header; requests are logged by the application, without their queries."""
    gateway = FakeGateway()
    config = create_server(gateway.app, gateway.settings).config
    assert not config.server_header
    assert not config.access_log

"""Settings and the start of the process."""

from __future__ import annotations

import logging
import socket

import pytest
from pydantic import ValidationError

from hilum_gateway import main
from hilum_gateway.bootstrap import film_limits
from hilum_gateway.wiring.settings import Settings

ENVIRONMENT = {
    "HILUM_DATABASE_URL": "postgresql://hilum:pa55word@db/hilum",
    "HILUM_OBJECT_STORE_URL": "s3://ACCESS:s3cr3t@minio:9000/films",
    "HILUM_BROKER_URL": "redis://:r3d1s@redis:6379/0",
    "HILUM_MODEL_REPOSITORY": "/models",
    "HILUM_SESSION_SECRET": "x" * 40,
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A complete environment."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_settings_come_from_the_environment(environment):
    """With the project's prefix."""
    environment.setenv("HILUM_HTTP_PORT", "9000")
    environment.setenv("HILUM_IMAGE_MAX_BYTES", "1000")
    settings = Settings()
    assert (settings.http.port, settings.http.host) == (9000, "127.0.0.1")
    assert film_limits(settings).max_bytes == 1000


def test_settings_do_not_print_their_secrets(environment):
    """An address may hold a password."""
    shown = repr(Settings())
    for secret in ("pa55word", "s3cr3t", "r3d1s", "xxxx"):
        assert secret not in shown


def test_settings_cannot_be_changed(environment):
    """What a process was told at its start holds."""
    settings = Settings()
    with pytest.raises(ValidationError):
        settings.http.port = 1


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_nothing_that_is_needed_has_a_default(environment, name):
    """Least of all a secret."""
    environment.delenv(name)
    with pytest.raises(ValidationError):
        Settings()


def test_a_start_with_wrong_settings_names_them_and_not_their_values(environment, capsys):
    """Exit code 2, one line each."""
    environment.setenv("HILUM_SESSION_SECRET", "t00short")
    environment.setenv("HILUM_HTTP_PORT", "p0rt")
    with pytest.raises(SystemExit) as ended:
        main.main()
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert "HILUM_SESSION_SECRET" in told
    assert "HILUM_HTTP_PORT" in told
    assert "t00short" not in told
    assert "p0rt" not in told


@pytest.mark.parametrize("name", ["HILUM_TLS_CERTIFICATE", "HILUM_TLS_KEY"])
def test_a_certificate_without_its_key_is_refused(environment, capsys, name):
    """And the other way round: neither is of use alone."""
    environment.setenv(name, "/tls/file.pem")
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 2
    assert "HILUM_TLS_CERTIFICATE and HILUM_TLS_KEY are set together" in capsys.readouterr().err


def test_a_certificate_that_cannot_be_loaded_ends_the_start(environment, capsys, tmp_path):
    """With a sentence that names the settings."""
    (tmp_path / "tls.crt").write_text("no certificate")
    environment.setenv("HILUM_TLS_CERTIFICATE", str(tmp_path / "tls.crt"))
    environment.setenv("HILUM_TLS_KEY", str(tmp_path / "tls.key"))
    kept = logging.getLogger().handlers[:]
    with pytest.raises(SystemExit) as ended:
        main.main()
    logging.getLogger().handlers[:] = kept
    assert ended.value.code == 2
    assert "HILUM_TLS_CERTIFICATE, HILUM_TLS_KEY: cannot be loaded" in capsys.readouterr().err


def test_a_port_for_metrics_that_is_taken_ends_the_start(environment, capsys):
    """With a sentence that names the setting, before anything is served."""
    kept = logging.getLogger().handlers[:]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment.setenv("HILUM_METRICS_PORT", str(taken.getsockname()[1]))
        with pytest.raises(SystemExit) as ended:
            main.main()
    logging.getLogger().handlers[:] = kept
    assert ended.value.code == 2
    assert "HILUM_METRICS_PORT: cannot be listened on" in capsys.readouterr().err


def test_cookies_are_for_https_where_the_gateway_speaks_it(environment):
    """Nobody has to say so again."""
    assert not Settings().cookies_need_tls
    environment.setenv("HILUM_TLS_CERTIFICATE", "/tls/tls.crt")
    environment.setenv("HILUM_TLS_KEY", "/tls/tls.key")
    assert Settings().cookies_need_tls


def test_every_request_thread_finds_a_database_connection(environment):
    """A thread holds one at most, so nobody waits for one that another waits to give."""
    settings = Settings()
    assert settings.database_connections > settings.http.max_threads

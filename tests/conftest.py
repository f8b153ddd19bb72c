"""Fixtures for every test."""

from __future__ import annotations

import importlib.util

# The training environment holds TensorFlow and none of the servers' clients.
if importlib.util.find_spec("hilum_stack") is not None:
    pytest_plugins = ["tests.servers"]

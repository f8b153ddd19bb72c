"""Fixtures for every test."""

from __future__ import annotations

import importlib.util

# The training environment holds TensorFlow and none of the servers' clients.
if importlib.util.find_spec("hilum_stack") is not None:
    pytest_plugins = ["tests.servers"]

if importlib.util.find_spec("hypothesis") is not None:
    from hypothesis import settings

    # An example may take as long as a busy machine needs: a time limit tells nothing of the code.
    settings.register_profile("hilum", deadline=None)
    settings.load_profile("hilum")

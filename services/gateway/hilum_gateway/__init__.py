"""Hilum's gateway: the HTTP API and the web pages."""

from typing import Final

NOTICE: Final = "Research use only, not for diagnosis."
"""Stands on every surface that shows a result."""

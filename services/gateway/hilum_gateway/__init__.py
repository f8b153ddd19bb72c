"""Hilum's gateway."""

"""Hilum's worker."""

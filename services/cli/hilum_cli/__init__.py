"""Hilum's cli."""

"""Backups: where they lie in a store, and how two ordered listings are walked together."""

"""Alembic's folder: one file per step in ``versions/``, the same for both databases."""

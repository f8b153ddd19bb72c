"""Readers of data sets as they are published: one layout, one file, one record type."""

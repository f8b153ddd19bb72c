"""Adapters: one folder per outside technology; each translates its vendor errors once."""

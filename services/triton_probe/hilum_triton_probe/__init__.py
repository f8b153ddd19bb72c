"""Hilum's known-answer test beside a Triton: a server can be ready and answer wrongly."""

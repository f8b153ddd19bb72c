"""Runs a whole Hilum on one machine: the embedded stack, or real servers on free ports."""

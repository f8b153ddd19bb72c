"""Figures of merit and their intervals, in numpy alone."""

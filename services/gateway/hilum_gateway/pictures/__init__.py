"""Heatmaps and outlines as pictures."""

"""Trains, evaluates and exports Hilum models with Keras."""

"""Pixels in numpy: the same code in training and in the worker."""

"""Lung fields and heart as masks: data, network, fit and evaluation."""

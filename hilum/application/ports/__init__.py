"""Ports: what the use cases need from outside. An adapter shares its port's file name."""

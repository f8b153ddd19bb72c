"""Builds Hilum's container images with podman or docker: ``python -m images build``."""

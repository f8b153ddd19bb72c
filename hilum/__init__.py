"""Hilum: chest X-ray inference. Research use only, not for diagnosis.

Layers, from the inside out: :mod:`hilum.domain` (what a film, a job and a finding are),
:mod:`hilum.imaging` (pixels), :mod:`hilum.application` (ports and use cases) and
:mod:`hilum.adapters` (PostgreSQL, S3, Celery, Triton, DICOM). An inner layer never imports an
outer one; import-linter keeps it so.
"""

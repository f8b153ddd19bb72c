"""Hilum's DICOM listener: C-ECHO and C-STORE."""

"""DICOM: reading films."""

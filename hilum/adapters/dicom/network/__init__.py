"""Sends objects to DICOM peers and DICOMweb services."""

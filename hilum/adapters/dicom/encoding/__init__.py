"""DICOM objects of results: SR, SC, GSPS and SEG."""

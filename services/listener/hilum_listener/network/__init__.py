"""The upper layer of DICOM, bounded: pynetdicom's parts with limits of time, bytes and number."""

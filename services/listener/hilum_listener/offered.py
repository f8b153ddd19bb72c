"""Which SOP classes the listener takes (PS3.4 annexes A and B)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

VERIFICATION: Final = "1.2.840.10008.1.1"

STORED: Final[Mapping[str, str]] = {
    "1.2.840.10008.5.1.4.1.1.1": "Computed Radiography Image Storage",
    "1.2.840.10008.5.1.4.1.1.1.1": "Digital X-Ray Image Storage - For Presentation",
    "1.2.840.10008.5.1.4.1.1.1.1.1": "Digital X-Ray Image Storage - For Processing",
    "1.2.840.10008.5.1.4.1.1.7": "Secondary Capture Image Storage",
}
"""Name by SOP Class UID. Each is taken in every transfer syntax that the reader decodes."""

STORAGE_COMMITMENT: Final = "1.2.840.10008.1.20.1"
"""Storage Commitment Push Model: the peer reports by N-EVENT-REPORT what it keeps of ours."""

VERIFICATION_SYNTAXES: Final = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")
"""Implicit and Explicit VR Little Endian, of Storage Commitment too."""

IMPLEMENTATION_CLASS_UID: Final = "2.25.284197304853370287013268906482046741977"
"""Of Hilum (PS3.7 annex D.3.3.2). It is in each stored file, so it never changes."""

IMPLEMENTATION_VERSION_NAME: Final = "HILUM"

"""DICOM: reading films.

GDCM stays out of this process. Its library exports a zlib of its own, and where it is loaded
before Python's zlib module, that module calls a mixture of the two and corrupts the heap (seen: a
worker that died in malloc while it wrote its first preview). pydicom imports GDCM wherever it is
installed, so the import is refused here, before pydicom is loaded; ``gdcm_process`` runs it in a
process of its own.
"""

import sys
from typing import Any, cast

# None makes `import gdcm` fail as if it were not installed (Python reference, 5.3.1).
sys.modules.setdefault("gdcm", cast("Any", None))

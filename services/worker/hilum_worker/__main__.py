"""``python -m hilum_worker``."""

import sys

from hilum_worker.main import main

sys.exit(main())

"""``python -m hilum_listener``."""

import sys

from hilum_listener.main import main

sys.exit(main())

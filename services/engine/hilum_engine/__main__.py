"""``python -m hilum_engine``."""

import sys

from hilum_engine.main import main

if __name__ == "__main__":
    sys.exit(main())

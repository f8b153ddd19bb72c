"""``python -m hilum_gateway``."""

from hilum_gateway.main import main

main()

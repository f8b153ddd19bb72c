"""``python -m hilum_cli``."""

from hilum_cli.main import main

main()

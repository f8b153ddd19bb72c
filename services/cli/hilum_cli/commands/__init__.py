"""The subcommands of ``hilum``."""

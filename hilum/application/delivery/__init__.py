"""Results to destinations."""

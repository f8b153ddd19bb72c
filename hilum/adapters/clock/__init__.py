"""The system's clock."""

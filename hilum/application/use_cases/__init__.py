"""Use cases: one file per thing that Hilum does."""

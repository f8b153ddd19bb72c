"""PostgreSQL (and SQLite, by the same migrations) through SQLAlchemy."""

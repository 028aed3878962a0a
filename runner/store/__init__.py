"""What the runner remembers, on SQLite or PostgreSQL: one noun per module, functions with the connection first."""

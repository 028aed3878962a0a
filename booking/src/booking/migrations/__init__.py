"""The database's shape, one revision per file, each with plain SQL beside it."""

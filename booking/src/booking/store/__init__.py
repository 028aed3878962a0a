"""The database: SQL of our own, one noun per module."""

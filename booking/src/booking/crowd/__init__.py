"""A crowd of customers: it buys tickets as people with browsers would, and journals every confirmed booking."""

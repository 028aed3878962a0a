"""What differs between the two sides after a failover, and what settles it."""

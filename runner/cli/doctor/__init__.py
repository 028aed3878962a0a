"""What a new installation gets wrong: one small check each, and what to do about it."""

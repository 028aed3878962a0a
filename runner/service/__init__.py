"""What can be asked of the runner and done to it: each function is one transaction of the store, or a few reads."""

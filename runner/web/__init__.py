"""The HTTP side of the runner: takes alerts and questions."""

"""The command `understudy`, and where the parts of the runner are put together."""

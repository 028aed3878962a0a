"""Run the command as `python -m runner.cli`."""

from __future__ import annotations

from runner.cli.main import main

main()

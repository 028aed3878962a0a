"""Run the lab's command: `python -m lab`."""

from lab.cli import main

main()

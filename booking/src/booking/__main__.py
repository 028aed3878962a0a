"""Run the command as `python -m booking`."""

from booking.cli import main

main()

"""A stand-in for a payment company: its own process, with faults on demand."""

"""Judges alerts, schedules, plans and wishes. Pure: no clock, no I/O; the loaders take text."""

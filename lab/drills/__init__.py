"""Drills: rows of the failure matrix, run on the lab with a deadline, a crowd and an audit."""

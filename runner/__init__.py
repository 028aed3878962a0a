"""The runner: turns alerts, the calendar and operators' wishes into playbook runs, each with its reason on record."""

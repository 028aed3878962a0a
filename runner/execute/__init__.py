"""Run a playbook for a job: watched, leased, without a trace of its secrets (only here is ansible_runner imported)."""

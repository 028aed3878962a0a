"""The worker: judges what arrived, runs jobs as durable workflows, fires schedules, tells people."""

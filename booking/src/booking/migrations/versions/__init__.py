"""Revisions in order; a revision only adds, so that the release before it still runs."""

"""The web: JSON API and pages over HTTP."""

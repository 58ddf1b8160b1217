"""Composition root: flags to settings to provider to service to screen or verb."""

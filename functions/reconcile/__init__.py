"""Looks for what was lost on its way."""

"""Asks whether the API answers."""

"""Sees to trainings that have ended."""

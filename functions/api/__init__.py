"""Answers HTTP."""

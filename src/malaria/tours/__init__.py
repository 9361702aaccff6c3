"""Walks through a running server, from outside: `demo` shows it, `smoke` checks it, `bench` times it."""

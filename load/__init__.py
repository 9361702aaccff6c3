"""Load on a running server, from outside: who asks, what a right answer is, and when a release may pass.

Only `users`, `shapes` and `session` know Locust, which patches the process that imports it; the rest is plain
Python, and is tested as such.
"""

"""Watches the traffic and fits the workers to it: what is needed, what to do, and doing it."""

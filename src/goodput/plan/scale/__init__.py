"""Fleets of thousands of workers and days of traffic: compiled, with less detail and as exact."""

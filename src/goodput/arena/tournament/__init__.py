"""Tournaments: what is asked for, which episodes that means, and the crew that plays them."""

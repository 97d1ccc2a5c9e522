"""Which deployment keeps a promise best: candidates, bounds, races, and what the answer says."""

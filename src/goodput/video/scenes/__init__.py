"""Moving shapes: scenes whose every attribute is known, their sentences and their pictures."""

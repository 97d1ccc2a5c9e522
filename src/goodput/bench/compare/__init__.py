"""Several servers under the same load: how they take turns, and what their ratios prove."""

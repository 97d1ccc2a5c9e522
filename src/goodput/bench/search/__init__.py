"""Finding a system's goodput: which rates to judge, and what the judged windows prove."""

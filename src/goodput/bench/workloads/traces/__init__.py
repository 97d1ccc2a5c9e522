"""Recorded workloads, replayed: times and lengths of the file, texts of our own making."""

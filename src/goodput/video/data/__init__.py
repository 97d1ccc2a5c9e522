"""Clips to train on: moving shapes, or a folder of videos."""

"""Readers that give every checkpoint format the same face."""

from goodput.models.checkpoint.base import Checkpoint as Checkpoint

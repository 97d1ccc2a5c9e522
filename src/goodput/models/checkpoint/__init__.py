"""Readers that give every checkpoint format the same face."""

from goodput.models.checkpoint.base import Checkpoint as Checkpoint
from goodput.models.checkpoint.open import open_checkpoint as open_checkpoint

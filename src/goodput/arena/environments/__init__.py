"""The games in the field's interfaces: gymnasium for one seat, PettingZoo for two."""

from goodput.arena.environments.gym import register_all

__all__ = ["register_all"]

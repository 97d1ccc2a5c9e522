"""From clips to networks: what is optimised, how, and how it goes on after an interruption."""

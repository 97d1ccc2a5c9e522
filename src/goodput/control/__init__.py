"""The host's side of the fleet: registry, request coordination, supervision."""

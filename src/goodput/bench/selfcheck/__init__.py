"""The load generator measured by a server whose token times are known exactly."""

"""Whether workers that send heartbeats also work: canary requests, and steps that take too long."""

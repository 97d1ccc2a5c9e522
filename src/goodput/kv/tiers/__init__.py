"""Where KV blocks go that the pool evicts, and come back from: RAM first, then disk."""

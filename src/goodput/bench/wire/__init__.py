"""Between the load generator and a server: connections, dialect, SSE, one request's answer."""

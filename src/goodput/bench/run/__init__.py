"""Running a load: the open loop, one session with a server, the terminal while it lasts."""

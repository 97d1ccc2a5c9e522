"""What episodes say about their players: scores, who beats whom, what latency costs."""

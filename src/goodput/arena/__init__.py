"""Models play games, alone or against each other, while the game's clock does not wait."""

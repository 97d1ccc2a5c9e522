"""Match-3: swap neighbours so that three of a colour meet; what falls after them may match again.

``board`` is the grid and where its matches and possible swaps are, ``clearing`` what a match takes
away and leaves, ``cascade`` the rounds until the board is at rest, ``game`` the rules.
"""

"""Texas hold'em for two, without a limit.

``cards`` is the deck, ``ranking`` which hand beats which, ``hand`` the betting of one hand,
``match`` the rules of the game, hand after hand, ``view`` what a seat sees.
"""

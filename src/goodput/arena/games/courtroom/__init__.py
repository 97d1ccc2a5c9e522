"""The courtroom: find the statements that the evidence contradicts.

``facts`` says what a contradiction is, ``topics`` how facts and claims are put into words, ``case``
makes a case of them, ``game`` is the rules, ``view`` what is seen.
"""

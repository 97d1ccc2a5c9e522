"""For all tests: nothing fails because a machine was slow for a moment."""

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

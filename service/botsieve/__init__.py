"""Botsieve: a decision service beside nginx that answers allow, challenge or block, and says why."""

__version__ = "0.1.0"

"""Runs `python -m botsieve`."""

from botsieve.cli import entry

entry()

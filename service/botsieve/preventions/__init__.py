"""Preventions outside of decisions: kept over a restart, listed and released by operators."""

"""The challenge: pages, puzzles, clearances, sessions.  Pure: times, random bytes and keys are handed in.

Read in this order: settings, keys, tokens, issue, pow, spent, clearance, limits, nojs, session, pages, desk.
An edge needs `desk` only.
"""

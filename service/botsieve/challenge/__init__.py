"""The challenge: pages, puzzles, clearances, sessions.  Pure: times, random bytes and keys are handed in.

Read in this order: settings, keys, tokens, issue, pow, spent, clearance, limits, nojs, session, pages, desk; then what hears the
scripts in pages: human_desk, device_desk, feedback (docs/architecture.md has a line for each file).  An edge needs `desk` only.
"""

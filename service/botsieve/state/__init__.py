"""What is remembered of whom.  Read parts, then profiles, then table, then world."""

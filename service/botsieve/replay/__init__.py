"""`botsieve replay` and `botsieve explain`: access logs and single requests through the engine that decides live (docs/replay.md)."""

"""CrowdSec beside us: its Lua bouncer, real or stood in for, and what it asks."""

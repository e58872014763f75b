"""The configuration: `botsieve.yaml` in, one immutable `Loaded` out.

Reading order: yaml_tree (text to values with lines), expand (${...}), section and the kinds (what a key is), the models, checks
(between keys), effective (defaults filled in: the plan), compile (the plan to a rulebook), loader (the way in), watch (reload),
changed (what a reload says of itself).
"""

from botsieve.config.loader import load, load_or_last_good, loads
from botsieve.config.settings import Address, EdgeSettings, Loaded, ServiceSettings

__all__ = ["Address", "EdgeSettings", "Loaded", "ServiceSettings", "load", "load_or_last_good", "loads"]

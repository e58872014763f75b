"""Generated from proto/botsieve/v1 by scripts/proto.sh.  Never edited."""

"""How messages look on the wire and in snapshots: encode, decode, check. Pure; no Redis."""

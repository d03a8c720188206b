"""The format of messages on the wire and in snapshots: encode, decode, check. Pure; no Redis."""

"""Weights on disk: resolved by name and hash, exported, and the cache of 8-bit engines."""

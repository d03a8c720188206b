"""Identities when the world moves: cameras, runners, falls, doubles, sizes and rates, with known identities."""

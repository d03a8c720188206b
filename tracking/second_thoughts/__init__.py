"""Decisions about identities that wait until people have parted: what was known before against what is seen after."""

"""Delayed decisions about swapped identities: after people part, their appearance is compared with that from before."""

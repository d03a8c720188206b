"""Rules: what they cost a frame."""

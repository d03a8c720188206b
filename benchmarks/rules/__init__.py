"""Rules: what they cost a frame, and how many falls they find."""

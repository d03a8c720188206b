"""Which frames of a camera are inferred, and how: frame selector, motion, gating rules."""

"""What one broker carries, and what a frame costs it."""

"""Frames from the broker and answers to it: fair reading, claims, attempts, commits."""

"""Matching detections to tracks: log odds of each pair, and one assignment."""

"""Heads that are blurred in pictures: where they are by the keypoints, in frames between, and the blurring."""

"""Heads in pictures: where they are by the keypoints, and blurring them in an array of pixels. Pure."""

"""Scripted skeletons with known truth: people who walk, sit, fall and exercise, as keypoints in the picture."""

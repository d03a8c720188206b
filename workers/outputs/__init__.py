"""People from a network's output: boxes, keypoints and outlines; and the colours they wear."""

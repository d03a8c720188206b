"""From a network's output to people: boxes, keypoints, outlines, colours."""

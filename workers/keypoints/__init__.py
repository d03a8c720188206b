"""A second look at people whose boxes are known: keypoints computed on crops of the picture, one person each."""

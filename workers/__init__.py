"""Detection and keypoint estimation: any worker takes any camera's next frame."""

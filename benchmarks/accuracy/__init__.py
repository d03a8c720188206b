"""How well people and keypoints are found: parity with the reference, bad pictures, refinement, JPEG quality."""

"""The accuracy of people and keypoints: parity with the reference, bad pictures, refinement, JPEG quality."""

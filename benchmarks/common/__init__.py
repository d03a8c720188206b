"""What several benchmarks share: MOTChallenge text, clips with kept detections, paths."""

"""What pictures still show of people whose heads are blurred: faces that detectors find, heads that are not covered."""

"""What the policies on size and rate of inference save and cost."""

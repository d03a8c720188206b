"""The savings and costs of the policies for size and rate of inference."""

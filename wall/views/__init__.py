"""What the wall shows when asked: events and their pictures, the state of the deployment, explanations."""

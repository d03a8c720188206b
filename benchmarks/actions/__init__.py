"""Training of the built-in classifier of actions, and its figures on data that it was not trained on."""

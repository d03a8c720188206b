"""The commands that run and set up a deployment: up, the stages, engines, forget, config."""

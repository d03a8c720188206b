"""The commands that change a deployment while it runs: camera and scale."""

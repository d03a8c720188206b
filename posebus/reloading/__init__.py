"""Following the configuration while a deployment runs: what changed, what of it can change, and SIGHUP."""

"""The commands that try rules and make them: rules test, rules draw."""

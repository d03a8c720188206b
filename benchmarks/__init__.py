"""Benchmarks, in folders by the question they answer; CONTRIBUTING.md lists the commands."""

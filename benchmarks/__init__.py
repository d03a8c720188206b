"""Benchmarks, in folders by the question that they answer; CONTRIBUTING.md lists the commands."""

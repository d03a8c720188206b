"""Delivering events to a receiver: order, attempts, what was delivered, and what could not be."""

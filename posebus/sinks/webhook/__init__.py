"""The sink `webhook`: each event as a signed HTTP request."""

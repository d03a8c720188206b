"""Connections to one Redis or Valkey server or to a cluster, and what their errors mean."""

"""Pages over HTTP: metrics for Prometheus, and for orchestrators whether the deployment is ready."""

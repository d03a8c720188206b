"""The settings of rules, which make events of what people do: a model for each kind, and reading those of a camera."""

"""The command doctor: checks of the installation, the broker and the inference engine."""

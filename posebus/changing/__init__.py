"""Changes of a deployment: written into its file or set over it, and followed until they have taken effect."""

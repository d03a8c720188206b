"""The setting `privacy_zones`: parts of the pictures of any source, black before anything is made of the pictures."""

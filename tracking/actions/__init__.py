"""What people do, from the last seconds of their skeletons: features, the built-in classifier, and those of users."""

"""What the pixels say of the population that an image is from: the measures behind a scope."""

"""Images are removed after a time, and objects that nothing names."""

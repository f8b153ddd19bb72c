"""From a multipart body to a submission."""

"""Where the manifests of the served models are read from."""

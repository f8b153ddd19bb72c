"""Operating points, fitted on a site's own images."""

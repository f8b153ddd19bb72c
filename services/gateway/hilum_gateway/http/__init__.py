"""What every request and answer needs, apart from what they are about."""

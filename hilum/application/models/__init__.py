"""Which models and rules are in force at a site."""

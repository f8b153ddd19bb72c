"""What the gateway is made of, and what routes ask of it."""

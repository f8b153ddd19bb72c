"""The JSON that clients read, and how it is made from the domain."""

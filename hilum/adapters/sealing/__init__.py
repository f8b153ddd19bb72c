"""Encryption of what is kept of patients."""

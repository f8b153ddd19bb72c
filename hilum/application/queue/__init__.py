"""The work queue: claim, run, outcome, leases and reconciliation, once for every kind of work."""

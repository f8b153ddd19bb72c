"""Films to learn from: the pack, its fingerprints, the split by patient, the decoded cache."""

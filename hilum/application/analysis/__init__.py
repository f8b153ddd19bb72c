"""What a job does: decode, gate, structures, findings, heatmaps, impression."""

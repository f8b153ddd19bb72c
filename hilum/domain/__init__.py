"""What Hilum is about: studies, instances, jobs, findings, models, and what can go wrong."""

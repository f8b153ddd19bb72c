"""Changes of jobs, told as they happen."""

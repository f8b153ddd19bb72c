"""What is shown of jobs, submissions and images."""

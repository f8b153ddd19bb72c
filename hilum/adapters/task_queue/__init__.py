"""Task queues: Celery."""

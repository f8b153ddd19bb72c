"""What every process shares: logs, metrics, timers, settings and traces."""

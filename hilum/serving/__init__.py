"""What Triton serves, written from manifests: configurations, the ensemble, whole repositories."""

"""From trained weights to ``model_repository/<model>``. Only this package writes there."""

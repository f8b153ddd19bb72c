"""What a trained model can and cannot do, measured on films of patients it has not seen."""

"""The network, its augmentation and its fit. These modules need TensorFlow."""

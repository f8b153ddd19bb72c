"""``hilum-engine``: model repositories for a target, and TensorRT engines on a GPU node."""

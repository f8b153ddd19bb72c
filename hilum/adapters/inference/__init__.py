"""Inference engines: Triton over gRPC, or ONNX Runtime in process."""

"""Inference engines behind one protocol: torch, OpenVINO, ONNX Runtime, and engines around them."""

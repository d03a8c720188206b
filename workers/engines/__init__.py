"""Inference engines behind one Protocol, and the table that describes them: torch, OpenVINO, ONNX Runtime."""

"""The life of a track: initiation, update with matched detections, loss and end, and the report of a frame."""

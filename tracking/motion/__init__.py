"""How people move: the Kalman filter of boxes, smoothing, and the borders of the picture."""

"""How people move: the Kalman filter of a box, smoothing, the borders of the picture."""

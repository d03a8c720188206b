"""How well the motion of a camera is estimated from its pictures, with known truth."""

"""Open video files, turn packets into pictures, and count defects: decoders, orientation, planes, reduced sizes."""

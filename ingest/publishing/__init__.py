"""From a picture to an entry of frames: size, encoding, admission, numbering."""

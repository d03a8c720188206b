"""Where a camera looks: its motion from picture to picture, estimated in small grey pictures. Pure."""

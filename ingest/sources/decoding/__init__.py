"""From packets to pictures: decoders, planes, reduced sizes, frames left out by the decoder."""

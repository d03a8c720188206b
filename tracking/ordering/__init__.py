"""The order of frames: late ones waited for, missing ones counted."""

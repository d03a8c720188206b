"""The order of frames: late ones are waited for, missing ones are reported."""

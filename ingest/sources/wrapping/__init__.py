"""Sources that pass another one on and change a part of it: the base of all, and a recording at its own pace."""

"""The screen of `posebus top`: tables that fit, scrolling by keys, and a terminal that is left as it was."""

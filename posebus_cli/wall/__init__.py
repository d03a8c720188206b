"""`posebus wall`, and the process that serves the wall beside `posebus up`."""

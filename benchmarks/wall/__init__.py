"""What the live wall costs and how fast it is, with real browsers and with pages that only read."""

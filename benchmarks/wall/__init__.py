"""What the live wall costs and how fast it is, with real browsers."""

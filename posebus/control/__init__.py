"""The control socket: commands of the same user ask a running deployment for its state, and to change. Local only."""

"""The process of the wall: its sockets, its web server in a thread of its own, and the loop around it."""

"""The live wall: cameras with skeletons in a browser, editing of rules and cameras, and browsers as cameras."""

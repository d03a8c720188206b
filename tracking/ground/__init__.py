"""The ground plane: where people are on the floor in metres, how fast they walk and how far. Pure."""

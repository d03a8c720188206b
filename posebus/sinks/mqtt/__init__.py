"""The sink `mqtt`: events and the state of cameras at an MQTT broker, and what Home Assistant needs to find them."""

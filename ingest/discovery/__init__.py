"""Finding cameras on the local networks: WS-Discovery, and the streams that ONVIF devices offer."""

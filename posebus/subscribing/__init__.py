"""Reading tracks, poses and events: blocking and asyncio subscriptions, and one picture with its tracks."""

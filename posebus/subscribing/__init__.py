"""Reading tracks, poses and events: blocking and asyncio subscriptions."""

"""Kills, stalls, takeovers, rescaling, and long runs under all of them."""

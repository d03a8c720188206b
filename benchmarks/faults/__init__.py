"""Kills, stalls, takeovers and rescaling, alone and together in long runs."""

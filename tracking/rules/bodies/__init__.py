"""Rules about what bodies do: postures and the way down, falls, raised hands, runs, crouches and actions. Pure."""

"""What every process needs to run: the stage loop, child processes, watchdog, liveness, the embedded broker."""

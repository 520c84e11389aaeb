"""What benches/peers/run runs: one module a system, and those that time, compare and tell.

The modules that time and tell use the standard library alone; each system's module runs in a process and an environment of its own, so that no
library shares its memory or its threads with another.
"""

"""Metrics for Prometheus: numbers that are read when they are asked for.

It knows plain values alone (`chat.server.metrics.snapshot`), nothing of rooms, stores or connections, and nothing of
the server knows it: the composition root reads the counters that are kept anyway and hands them over. No name of a
person or a room is in any of it.
"""

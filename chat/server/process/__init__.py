"""The process around the server: ``twistd``, the reactor, signals, diagnostics."""

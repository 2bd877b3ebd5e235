"""The line-based clients: ``chat --plain``, ``chat send`` and ``chat tail``.

They know nothing about the full-screen client.
"""

"""The line-based clients: ``chat --plain``, ``chat send`` and ``chat tail``.

They know nothing of the full-screen client.
"""

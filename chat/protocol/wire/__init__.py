"""What a session is told, as bytes that people or programs understand.

Two spellings of the same events and replies: ``text`` are lines for people on netcat or telnet,
``jsonlines`` are frames for programs. The package is pure: it knows neither sockets nor sessions, and
no command. What people wrote reaches a terminal through ``safe`` alone.
"""

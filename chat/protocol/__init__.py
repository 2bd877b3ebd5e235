"""What a client and a server share: names, values, events, the grammar and the wire formats.

It is pure: it does no I/O and knows neither Twisted, nor the server, nor the client.
"""

"""The other end of the wire: what a program needs to talk to a chat server.

It knows the protocol and nothing of a server: of ``chat`` it imports ``errors``, ``values``, ``events``, ``grammar``,
``stretch`` and ``wire`` alone, and the server never imports it. It trusts a server as far as that has proven itself:
passwords stay here, whatever comes is checked and bounded, and what cannot be believed ends the connection.
"""

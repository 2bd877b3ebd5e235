"""The door: who somebody is, and how that is proven.

It knows names, passwords, tokens and the store; it does not know what a line looks like, nor what people do
once they are in. Everything it refuses, it refuses with a `chat.protocol.errors.ChatError`. Passwords are
hashed on threads of its own, never on the reactor's, and a wrong name costs what a wrong password does.
"""

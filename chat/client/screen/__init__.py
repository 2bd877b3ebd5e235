"""The client on a full screen, with Textual.

It shows what `chat.client.model.state` knows and tells `chat.client.session.engine` what a person does; it knows
nothing of frames and connections. Whatever came from a server goes through ``chat.protocol.wire.sanitize`` and is never
read as markup.
"""

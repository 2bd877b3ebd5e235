"""Seals what goes and opens what comes: between the engine, which knows no keys, and what knows no server.

`Sealing` is what the engine sees. Behind it: `cupboard` (where keys lie on this machine), `directory` (whose keys the
server shows), `post` (letters between devices), `reading` (rows that come), `speaking` (lines that go), `findings`
(what a person is told), `verbs` (what a person types). All of it trusts the server as little as `chat.client.crypto`.
"""

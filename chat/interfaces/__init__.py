"""What the floors expect of each other.

``core`` knows the store, the bus and the front ends only by what stands here, so each can be replaced
by another engine, another bus, another front end, or a small fake. ``IChatUser`` is a zope interface
because cred asks for one; the others are structural types. They stand in the files of this package, and are imported
from here.
"""

from __future__ import annotations

from chat.interfaces.accounts import (
    MOST_DEVICES,
    RENEWED_AFTER,
    TOKEN_KEPT,
    CredentialEpoch,
    EndedDevice,
    Erased,
    InvitationBatch,
    Proven,
    TokenAlert,
    TokenRecord,
)
from chat.interfaces.bus import Ephemeral, IBus, Logged, Published, Topic
from chat.interfaces.clock import IClock, IDelayed, ITurn
from chat.interfaces.decisions import Contents
from chat.interfaces.frontends import IAudience, IMind
from chat.interfaces.host import Finding, IHost
from chat.interfaces.people import IChatUser, IDirectory, IDoor, IPasswordCredentials, ITokenCredentials
from chat.interfaces.sealed import IFileStore, IKeyStore
from chat.interfaces.storage import Backlog, Committed, Disk, Hits, IStore, MissedRows, Sink, Snapshot, StoredRoom

__all__ = [
    "MOST_DEVICES",
    "RENEWED_AFTER",
    "TOKEN_KEPT",
    "Backlog",
    "Committed",
    "Contents",
    "CredentialEpoch",
    "Disk",
    "EndedDevice",
    "Ephemeral",
    "Erased",
    "Finding",
    "Hits",
    "IAudience",
    "IBus",
    "IChatUser",
    "IClock",
    "IDelayed",
    "IDirectory",
    "IDoor",
    "IFileStore",
    "IHost",
    "IKeyStore",
    "IMind",
    "IPasswordCredentials",
    "IStore",
    "ITokenCredentials",
    "ITurn",
    "InvitationBatch",
    "Logged",
    "MissedRows",
    "Proven",
    "Published",
    "Sink",
    "Snapshot",
    "StoredRoom",
    "TokenAlert",
    "TokenRecord",
    "Topic",
]

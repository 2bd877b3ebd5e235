"""What the floors expect of each other.

``core`` knows the store, the bus and the front ends only by what stands here, so each can be replaced
by another engine, another bus, another front end, or a small fake. ``IChatUser`` is a zope interface
because cred asks for one; the others are structural types. They stand in the files of this package, and are imported
from here.
"""

from __future__ import annotations

from chat.server.interfaces.accounts import (
    MOST_DEVICES,
    RENEWED_AFTER,
    TOKEN_KEPT,
    CredentialEpoch,
    EndedDevice,
    Erased,
    InvitationBatch,
    TokenAlert,
    TokenRecord,
)
from chat.server.interfaces.admin_store import Contents
from chat.server.interfaces.bus import Ephemeral, IBus, Logged, Published, Topic
from chat.server.interfaces.clock import IClock, IDelayed, ITurn
from chat.server.interfaces.frontends import Features, IAudience, IMind
from chat.server.interfaces.host import Finding, IHost
from chat.server.interfaces.key_store import IFileStore, IKeyStore
from chat.server.interfaces.people import (
    IAuthenticator,
    IChatUser,
    IDirectory,
    IOneTimeCodeCredentials,
    IPasswordCredentials,
    IRegistrationCredentials,
    IScramCredentials,
    ITakeoverCredentials,
    ITokenCredentials,
    Proven,
)
from chat.server.interfaces.storage import (
    Backlog,
    Committed,
    Disk,
    Hits,
    IStore,
    MissedRows,
    Sink,
    Snapshot,
    StoredRoom,
)

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
    "Features",
    "Finding",
    "Hits",
    "IAudience",
    "IAuthenticator",
    "IBus",
    "IChatUser",
    "IClock",
    "IDelayed",
    "IDirectory",
    "IFileStore",
    "IHost",
    "IKeyStore",
    "IMind",
    "IOneTimeCodeCredentials",
    "IPasswordCredentials",
    "IRegistrationCredentials",
    "IScramCredentials",
    "IStore",
    "ITakeoverCredentials",
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

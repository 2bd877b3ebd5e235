"""What a session is told: events, which come by themselves, and replies, which answer one command.

All are frozen values; people are named by their names, times are milliseconds since the epoch. An event knows nothing
of how it is shown: ``chat.protocol.wire`` has one rendering of each for every format. They stand in the files of this
package by what they are about, and are imported from here.
"""

from __future__ import annotations

from typing import TypeAlias

from chat.protocol.events.files import FileKept, FilePiece
from chat.protocol.events.keys import (
    ClaimedKey,
    ClaimedKeys,
    Inbox,
    Keys,
    KeysChanged,
    KeysLeft,
    Letter,
    LettersKept,
    NamedDevice,
    PublishedDevice,
    PublishedKeys,
)
from chat.protocol.events.lists import (
    CommandTable,
    Devices,
    Found,
    Help,
    History,
    Missed,
    People,
    Person,
    Profile,
    RoomLine,
    Rooms,
    RoomSettings,
    SessionLine,
    VerbHelp,
)
from chat.protocol.events.live import (
    Address,
    AddressChanged,
    AskedConsent,
    BlockChanged,
    Broadcasted,
    Closing,
    ConsentRefused,
    Delivered,
    Invited,
    Kept,
    Notice,
    OwnSettings,
    Presence,
    Removed,
    SignedOut,
    Traffic,
)
from chat.protocol.events.replies import (
    Challenge,
    Done,
    LoggedIn,
    LoggedOut,
    PasswordChanged,
    Pong,
    Refused,
    Restored,
    Resumed,
    RoomEntered,
    RoomLeft,
    Standing,
    StoredAs,
    TimeNow,
    Welcome,
)
from chat.protocol.events.reports import Column, Fact, Facts, InvitationCodes, Listing, OneTimeCode
from chat.protocol.events.rows import (
    Deleted,
    Edited,
    Entry,
    MembershipChanged,
    PrivateEntry,
    RoomChanged,
    Said,
    Skipped,
    TopicChanged,
)

__all__ = [
    "Address",
    "AddressChanged",
    "AskedConsent",
    "BlockChanged",
    "Broadcasted",
    "Challenge",
    "ClaimedKey",
    "ClaimedKeys",
    "Closing",
    "Column",
    "CommandTable",
    "ConsentRefused",
    "Deleted",
    "Delivered",
    "Devices",
    "Done",
    "Edited",
    "Entry",
    "Event",
    "Fact",
    "Facts",
    "FileKept",
    "FilePiece",
    "Found",
    "Help",
    "History",
    "Inbox",
    "InvitationCodes",
    "Invited",
    "Kept",
    "Keys",
    "KeysChanged",
    "KeysLeft",
    "Letter",
    "LettersKept",
    "Listing",
    "LoggedIn",
    "LoggedOut",
    "MembershipChanged",
    "Missed",
    "NamedDevice",
    "Notice",
    "OneTimeCode",
    "OwnSettings",
    "PasswordChanged",
    "People",
    "Person",
    "Pong",
    "Presence",
    "PrivateEntry",
    "Profile",
    "PublishedDevice",
    "PublishedKeys",
    "Refused",
    "Removed",
    "Reply",
    "Restored",
    "Resumed",
    "RoomChanged",
    "RoomEntered",
    "RoomLeft",
    "RoomLine",
    "RoomSettings",
    "Rooms",
    "Said",
    "SessionLine",
    "SignedOut",
    "Skipped",
    "Standing",
    "StoredAs",
    "TimeNow",
    "TopicChanged",
    "Traffic",
    "VerbHelp",
    "Welcome",
]

Event: TypeAlias = (
    Entry
    | Broadcasted
    | Presence
    | Invited
    | AskedConsent
    | Address
    | ConsentRefused
    | AddressChanged
    | Removed
    | SignedOut
    | OwnSettings
    | BlockChanged
    | Closing
    | Notice
    | Delivered
    | Kept
    | Traffic
    | Letter
    | KeysChanged
    | KeysLeft
)


Reply: TypeAlias = (
    Refused
    | Done
    | StoredAs
    | Welcome
    | Challenge
    | LoggedIn
    | LoggedOut
    | Restored
    | Resumed
    | RoomEntered
    | RoomLeft
    | RoomSettings
    | People
    | Rooms
    | History
    | Found
    | Missed
    | Profile
    | Devices
    | OwnSettings
    | Help
    | CommandTable
    | Keys
    | KeysLeft
    | ClaimedKeys
    | LettersKept
    | Inbox
    | FileKept
    | FilePiece
    | Pong
    | TimeNow
    | Listing
    | Facts
    | OneTimeCode
    | InvitationCodes
    | PasswordChanged
)

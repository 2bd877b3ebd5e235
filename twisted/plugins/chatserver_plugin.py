"""Makes ``twistd chatserver`` known; the server itself is loaded only when it is chosen."""

from twisted.application.service import ServiceMaker

chatserver = ServiceMaker(
    "chatserver", "chat.server.tap", "A chat server for netcat, telnet and programs.", "chatserver"
)

"""The front ends: sockets on one side, ``Session.perform`` and events on the other.

A connection cuts bytes into lines and finds out who speaks; a line session keeps their order and what a session of any
format needs; a front end decodes frames and renders replies and events. No front end knows another, a connection or a
transport, and none knows what a command does.
"""

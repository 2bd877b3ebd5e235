"""The front ends: sockets on one side, ``Session.perform`` and events on the other.

A connection cuts bytes into lines and finds out who speaks; a front end reads lines and shows replies and events in
one wire format. No front end knows another, and none knows what a command does.
"""

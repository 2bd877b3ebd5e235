"""Encodes keys and to-device messages as arguments of commands."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from chat.protocol.device_keys import DeviceKeys, NumberedKey, Publication


def base64(value: bytes) -> str:
    return b64encode(value).decode()


def publication_args(publication: Publication) -> dict[str, Any]:
    """The arguments of ``keys.publish``."""
    args: dict[str, Any] = {}
    if publication.account_key is not None:
        args["account"] = base64(publication.account_key)
        args["reset"] = publication.reset
    if publication.device is not None:
        args["device"] = _device(publication.device)
    if publication.one_time:
        args["one_time"] = [_numbered(each) for each in publication.one_time]
    if publication.fallback is not None:
        args["fallback"] = _numbered(publication.fallback)
    return args


def letter_args(user: str, device: str, body: bytes) -> dict[str, str]:
    """One of the letters of ``inbox.send``."""
    return {"user": user, "device": device, "body": base64(body)}


def _device(keys: DeviceKeys) -> dict[str, str]:
    signature = {"signature": base64(keys.signature)} if keys.signature else {}
    return {"identity": base64(keys.identity), "signing": base64(keys.signing)} | signature


def _numbered(key: NumberedKey) -> dict[str, object]:
    return {"number": key.number, "key": base64(key.key), "signature": base64(key.signature)}

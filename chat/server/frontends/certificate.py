"""The server's certificate: made at the first start, taken anew when its file changes.

A self-made certificate proves nothing to somebody who comes for the first time, but it keeps what follows from being
read, and a client that remembers it notices another one. Who has a real one puts it in the file: the private key and
the chain, in PEM, the server's own certificate first.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple, TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from chat.protocol.errors import Misconfigured
from chat.server.logs import Logger

log = Logger()

InThread: TypeAlias = Callable[[Callable[[], Any]], Deferred[Any]]

YEARS = 10
"""How long a certificate of our own is good: clients remember the key, so a new one alarms them."""

LOOK_EVERY = 1.0
"""Seconds between two looks at whether the file has changed."""


def ensure_certificate(path: str, name: str) -> None:
    """Make a key (P-256) and a certificate of our own where there is none.

    :param path: one PEM file with both, mode 0600.
    :param name: what the server calls itself.
    :raises Misconfigured: when the file cannot be made, or holds no certificate with its key.
    """
    try:
        if not os.path.exists(path):
            _make(path, name)
        _load(path)
    except OSError as error:
        raise Misconfigured(
            f"{path} cannot be read or created ({error.strerror}). Fix its permissions, or name another file:"
            " --certificate"
        ) from None
    except ValueError as error:
        raise Misconfigured(
            f"{path} is not a PEM file with a certificate and its private key: {error}."
            " Put both into it, in PEM, or remove it to have one made."
        ) from None


def _make(path: str, name: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    host = os.uname().nodename
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, (host or name)[:64])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=366 * YEARS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in _names(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    draft = f"{path}.new"
    with open(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file, ExitStack() as undo:
        undo.callback(os.unlink, draft)
        os.fchmod(file.fileno(), 0o600)
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
        os.replace(draft, path)
        undo.pop_all()


def _names(host: str) -> list[str]:
    """The names under which the machine is reached from itself and from beside it."""
    names = [host] if host.isascii() and host.replace("-", "").replace(".", "").isalnum() else []
    return list(dict.fromkeys([*names, "localhost"]))


def _load(path: str) -> tuple[SSL.Context, bytes]:
    """:returns: a context to serve with (TLS 1.2 and later), and the SHA-256 of the certificate.

    :raises OSError: when the file cannot be read.
    :raises ValueError: when it does not serve; the text says why.
    """
    with open(path, "rb") as file:
        pem = file.read()
    try:
        own, *chain = x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise ValueError("it contains no readable certificate") from None
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(b"ECDHE+AESGCM:ECDHE+CHACHA20")
    key = _key(pem)
    try:
        context.use_privatekey(key)
        context.use_certificate(own)
        for each in chain:
            context.add_extra_chain_cert(each)
        context.check_privatekey()
    except SSL.Error:
        raise ValueError("the key does not belong to the first certificate, or is too weak") from None
    return context, sha256(own.public_bytes(serialization.Encoding.DER)).digest()


def _key(pem: bytes) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    """The first private key of a PEM file."""
    blocks = (b"-----BEGIN" + block for block in pem.split(b"-----BEGIN")[1:])
    own = next((block for block in blocks if b"PRIVATE KEY" in block.partition(b"\n")[0]), None)
    if own is None:
        raise ValueError("it contains no private key")
    try:
        key = serialization.load_pem_private_key(own, None)
    except TypeError:
        raise ValueError("its key is protected with a password") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("its key cannot be read") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise ValueError("the key is neither an elliptic curve nor an RSA key")
    return key


@implementer(IOpenSSLServerConnectionCreator)
class Certificate:
    """Serves TLS with what is in the file now.

    :param path: see `ensure_certificate`.
    :param monotonic: seconds that never jump.
    :param in_thread: calls a function where it may wait for the disk.
    :ivar fingerprint: the SHA-256 of the certificate in DER, to which logins are bound.
    """

    def __init__(self, path: str, monotonic: Callable[[], float], in_thread: InThread) -> None:
        self._path = path
        self._monotonic = monotonic
        self._in_thread = in_thread
        self._stamp = _read_stamp(path)
        self._looked = monotonic()
        self._looking = False
        self._context, self.fingerprint = _load(path)

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """See ``twisted.internet.interfaces.IOpenSSLServerConnectionCreator``."""
        self._look()
        return SSL.Connection(self._context, None)

    def _look(self) -> None:
        """Look at most once a second whether the file has changed; until that is known, the one from before counts."""
        now = self._monotonic()
        if self._looking or now - self._looked < LOOK_EVERY:
            return
        self._looked = now
        self._looking = True
        self._in_thread(lambda: _read_again(self._path, self._stamp)).addCallback(self._take)

    def _take(self, read: _Read | None) -> None:
        self._looking = False
        if read is None:
            return
        if read.loaded is not None:
            self._context, self.fingerprint = read.loaded
            log.info("{path} has changed: new connections get the new certificate.", path=self._path)
        else:
            log.error(
                "{path} has changed and cannot be used ({error}); the certificate from before is served on. Mend it.",
                path=self._path,
                error=read.error,
            )
        self._stamp = read.stamp


_Stamp: TypeAlias = tuple[int, int, int] | None


class _Read(NamedTuple):
    """What a changed file holds.

    :param stamp: which version of it.
    :param loaded: see `_load`, or nothing when it does not serve.
    :param error: why not.
    """

    stamp: _Stamp
    loaded: tuple[SSL.Context, bytes] | None
    error: str = ""


def _read_again(path: str, before: _Stamp) -> _Read | None:
    """Read a file if it has changed since; it may wait for the disk."""
    stamp = _read_stamp(path)
    if stamp == before:
        return None
    try:
        return _Read(stamp, _load(path))
    except Exception as error:
        return _Read(stamp, None, str(error) or type(error).__name__)


def _read_stamp(path: str) -> _Stamp:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size

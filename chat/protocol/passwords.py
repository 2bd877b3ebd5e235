"""From a password to what is stored of it: bcrypt first, then the keys of SCRAM.

``stretch`` is the slow step and runs wherever the password is: on the server for a plain login, in the
client for SCRAM-BCRYPT, which reads the bcrypt salt string as the SCRAM salt. What is stored
(`chat.protocol.values.Verifier`) lets nobody log in, and the stretched password never crosses the wire. The functions
here are slow on purpose; those that are say so, and belong on a thread.
"""

from __future__ import annotations

import re
import unicodedata
from base64 import b64encode
from collections.abc import Collection
from contextlib import suppress
from hashlib import sha256
from hmac import compare_digest, digest
from math import log

import bcrypt
from scramp import ScramException, ScramMechanism
from scramp.utils import saslprep

from chat.protocol.errors import BadPassword, BadVerifier
from chat.protocol.values import Verifier, VerifierCost

LEAST_BYTES = 8
MOST_BYTES = 1000
"""What a password may have, in UTF-8 bytes once it is prepared."""

_MOST_TYPED = 3 * MOST_BYTES
"""The same as it is typed: decomposed, letters take up to three times as many."""

_MOST_MARKS = 30

LEAST_COST = 4
MOST_COST = 15
"""Costs of bcrypt that are worked with; each step doubles the time."""

CLIENT_COST = 10
"""The least cost that the bundled client works with: a server that asks for less may want to guess the password."""

ITERATIONS = 4096
"""The rounds of PBKDF2 on top of bcrypt: the fewest that RFC 7677 allows, since bcrypt carries the weight."""

MOST_ITERATIONS = 65_536
"""A client works for no more rounds: 30 milliseconds."""

KEY_BYTES = 32
"""The length of StoredKey and ServerKey (SHA-256)."""

SCRAM = "scram-bcrypt"
SCRAM_PLUS = "scram-bcrypt-plus"
"""How a login without the password is called in ``welcome``; the second one is bound to the TLS connection."""

BINDING = "tls-server-end-point"
"""What it is bound to: the SHA-256 of the server's certificate in DER (RFC 5929 section 4)."""

_SALT = re.compile(rb"\$2b\$([0-9]{2})\$[./A-Za-z0-9]{21}[.Oeu]")
_STANDARD_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BCRYPT_ALPHABET = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_TO_BCRYPT = bytes.maketrans(_STANDARD_ALPHABET, _BCRYPT_ALPHABET)
_MECHANISM = ScramMechanism("SCRAM-SHA-256")


def check_password(password: str, ask: str = "password") -> None:
    """Check a password that somebody chose.

    :param ask: the parameter that it came as, worth asking again.
    :raises BadPassword: in one line, what is wrong with it.
    """
    length = len(_prepare(password))
    if length > MOST_BYTES:
        raise BadPassword(f"A password can have at most {MOST_BYTES:,} characters. Choose a shorter one.", ask=ask)
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in password):
        raise BadPassword("A password cannot contain control characters. Choose another one.", ask=ask)
    if length < LEAST_BYTES:
        raise BadPassword(f"A password must have at least {LEAST_BYTES} characters. Choose a longer one.", ask=ask)


def new_salt(cost: int) -> bytes:
    """A fresh bcrypt salt string.

    :raises ValueError: when the cost is not `LEAST_COST` to `MOST_COST`.
    """
    _check_cost(cost)
    return bcrypt.gensalt(cost)


def cost_of(salt: bytes) -> int:
    """The cost that a salt string asks for; a client looks at it before it works for a stranger.

    :raises ValueError: when it is no bcrypt salt string, or its cost is not `LEAST_COST` to `MOST_COST`.
    """
    found = _SALT.fullmatch(salt)
    if found is None:
        raise ValueError("that is not a bcrypt salt")
    cost = int(found[1])
    _check_cost(cost)
    return cost


def stretch(password: str, salt: bytes) -> bytes:
    """Make a password dear to guess. Slow: 0.2 seconds at cost 12; it frees the interpreter meanwhile.

    Any password will do, one that `check_password` refuses as well: a wrong one must cost what a right one does.

    :raises ValueError: when the salt is none (`cost_of`).
    """
    cost_of(salt)
    # bcrypt reads at most 72 bytes and older ones end at NUL: hence a hash first, in base64.
    return bcrypt.hashpw(b64encode(sha256(_prepare(password)).digest()), salt)


def make_verifier(stretched: bytes, salt: bytes, iterations: int = ITERATIONS) -> Verifier:
    """What is stored of a stretched password (RFC 5802 section 3). Takes 2 milliseconds."""
    # scramp takes text and prepares it once more, which changes nothing of the ASCII that bcrypt gives.
    _, stored_key, server_key, _ = _MECHANISM.make_auth_info(
        stretched.decode("ascii"), iteration_count=iterations, salt=salt
    )
    return Verifier(salt, iterations, stored_key, server_key)


def new_verifier(password: str, cost: int) -> Verifier:
    """A verifier of a password with a fresh salt. Slow, as `stretch` is."""
    salt = new_salt(cost)
    return make_verifier(stretch(password, salt), salt)


def is_current(verifier: Verifier, cost: int) -> bool:
    """Whether a verifier costs the server as much to check as a new one: no more, so that nobody makes others wait.

    :param cost: the bcrypt cost that the server names; where that is below `CLIENT_COST`, the latter will do as well.
    :raises ValueError: when its salt is none (`cost_of`).
    """
    return cost_of(verifier.salt) in (cost, max(cost, CLIENT_COST)) and verifier.iterations == ITERATIONS


def check_verifier(verifier: Verifier, cost: int) -> None:
    """Check a verifier that somebody else made of a password that is not known here.

    :param cost: the bcrypt cost that the server names in ``welcome``.
    :raises BadVerifier: in one line, what is wrong with it.
    """
    try:
        current = is_current(verifier, cost)
    except ValueError as error:
        raise BadVerifier(f"The salt of a verifier must be a bcrypt salt: {error}.") from None
    if not current:
        raise BadVerifier(f"Verifiers need a bcrypt cost of {cost} and {ITERATIONS:,} iterations on this server.")
    if not len(verifier.stored_key) == len(verifier.server_key) == KEY_BYTES:
        raise BadVerifier(f"The keys of a verifier must have {KEY_BYTES} bytes each.")


def matches(stretched: bytes, verifier: Verifier) -> bool:
    """Whether this is the password, found out in a time that tells nothing. Takes 2 milliseconds."""
    candidate = make_verifier(stretched, verifier.salt, verifier.iterations)
    return compare_digest(candidate.stored_key, verifier.stored_key)


def decoy_verifier(name: str, secret: bytes, cost: int, costs: Collection[VerifierCost] = ()) -> Verifier:
    """What stands in for the verifier of an account that does not exist.

    It looks and costs like a real one, stays the same for one name and secret, and no password matches it. Where
    accounts have verifiers of different costs, as after a change of the setting, decoys have each cost as often as
    accounts do: so no cost says whether there is an account. When the shares of the costs shift, as few decoys as
    possible get another cost, and with it another salt, as an account does whose password is changed.

    :param name: folded.
    :param secret: known to this server alone.
    :param cost: of a new verifier, for when there are no others.
    :param costs: of the verifiers that there are.
    """

    def derived(purpose: str) -> bytes:
        return digest(secret, f"{purpose}:{name}".encode("utf-8", "surrogatepass"), "sha256")

    def score(each: VerifierCost) -> float:
        """Weighted rendezvous hashing: the highest score wins in proportion to the weights."""
        share = (int.from_bytes(derived(f"share:{each.cost}:{each.iterations}")[:8], "big") + 1) / (2**64 + 1)
        return log(share) / each.accounts

    usual = [each for each in costs if each.accounts > 0 and _is_usual(each)]
    chosen = max(usual, key=score, default=VerifierCost(cost, ITERATIONS, 1))
    _check_cost(chosen.cost)
    of = f"{chosen.cost}:{chosen.iterations}"
    salt = b64encode(derived(f"salt:{of}")[:16]).rstrip(b"=").translate(_TO_BCRYPT)
    keys = derived(f"stored:{of}"), derived(f"server:{of}")
    return Verifier(b"$2b$%02d$%b" % (chosen.cost, salt), chosen.iterations, *keys)


def _is_usual(cost: VerifierCost) -> bool:
    """Whether somebody could log in with a verifier of that cost."""
    return LEAST_COST <= cost.cost <= MOST_COST and ITERATIONS <= cost.iterations <= MOST_ITERATIONS


def _check_cost(cost: int) -> None:
    if not LEAST_COST <= cost <= MOST_COST:
        raise ValueError(f"a bcrypt cost must be {LEAST_COST} to {MOST_COST}, not {cost}")


def _prepare(password: str) -> bytes:
    """The bytes of a password, the same however a keyboard composes its letters (SASLprep, RFC 4013).

    SASLprep knows Unicode 3.2 only; a password beyond it (an emoji, two directions of writing) is taken
    composed and otherwise as it is, rather than refused. What is too long for a password is only hashed, and so is
    what has more marks on one letter than any language: to compose them takes a time that grows with the square.
    """
    given = password.encode("utf-8", "surrogatepass")
    if len(given) > _MOST_TYPED or (password.isascii() and password.isprintable()) or _has_pile_of_marks(password):
        return given
    prepared: str = unicodedata.normalize("NFC", password)
    if len(prepared) <= MOST_BYTES:
        with suppress(ScramException):
            prepared = saslprep(prepared)
    return prepared.encode("utf-8", "surrogatepass")


def _has_pile_of_marks(text: str) -> bool:
    """Whether more combining marks follow each other than in any language (Unicode, Annex 15, section 13)."""
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks > _MOST_MARKS:
            return True
    return False

"""Seals with AES-256-GCM (NIST SP 800-38D). The id of the key is in front of what it sealed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hilum.domain.errors import ContextMissing

if TYPE_CHECKING:
    from collections.abc import Sequence

_VERSION: Final = b"\x01"
_KEY_BYTES: Final = 32
_ID_BYTES: Final = 4
_NONCE_BYTES: Final = 12


class AesSealer:
    """Seals documents, see :class:`hilum.application.ports.sealer.Sealer`."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Prepare a sealer.

        Args:
            keys: 32 bytes each. The first one seals, each opens what it sealed.

        Raises:
            ValueError: No key, or one of another length.
        """
        if not keys or any(len(key) != _KEY_BYTES for key in keys):
            raise ValueError(f"a key has {_KEY_BYTES} bytes")
        self._first = _id_of(keys[0])
        self._ciphers = {_id_of(key): AESGCM(key) for key in keys}

    @property
    def key_id(self) -> str:
        """Return the id of the key that seals: 8 hexadecimal digits of its digest."""
        return self._first.hex()

    def seal(self, document: bytes, bound_to: bytes) -> bytes:
        """Encrypt a document."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._first].encrypt(nonce, document, bound_to)
        return _VERSION + self._first + nonce + sealed

    def unseal(self, sealed: bytes, bound_to: bytes) -> bytes:
        """Decrypt a document."""
        at = len(_VERSION) + _ID_BYTES
        key_id, nonce = sealed[len(_VERSION) : at], sealed[at : at + _NONCE_BYTES]
        cipher = self._ciphers.get(key_id) if sealed.startswith(_VERSION) else None
        if cipher is None:
            raise ContextMissing(f"it was sealed with key {key_id.hex()}, which is not given")
        try:
            return cipher.decrypt(nonce, sealed[at + _NONCE_BYTES :], bound_to)
        except InvalidTag:
            raise ContextMissing("it is damaged, or of another job") from None


def keys_of(text: str) -> list[bytes]:
    """Read keys from a setting: base64, comma-separated.

    Raises:
        ValueError: One is no base64. The text is not repeated.
    """
    try:
        return [base64.b64decode(part.strip(), validate=True) for part in text.split(",")]
    except binascii.Error:
        raise ValueError("a key is 32 bytes in base64") from None


def _id_of(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:_ID_BYTES]

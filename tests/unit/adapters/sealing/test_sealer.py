"""Documents are sealed, and open with their key and what they belong to alone."""

from __future__ import annotations

import base64

import pytest

from hilum.adapters.sealing.sealer import AesSealer, keys_of
from hilum.domain.errors import ContextMissing

OLD, NEW = bytes(32), bytes(range(32))


def test_what_is_sealed_opens_again_and_shows_nothing():
    """Two seals of one document differ."""
    sealer = AesSealer([NEW])
    sealed = sealer.seal(b"Phantom^Not A Patient", b"job")
    assert b"Phantom" not in sealed
    assert sealer.seal(b"Phantom^Not A Patient", b"job") != sealed
    assert sealer.unseal(sealed, b"job") == b"Phantom^Not A Patient"
    assert sealer.key_id.encode() in sealed.hex().encode()


def test_keys_are_rotated_by_putting_the_new_one_first():
    """The old one still opens what it sealed."""
    before = AesSealer([OLD]).seal(b"document", b"job")
    both = AesSealer([NEW, OLD])
    assert both.unseal(before, b"job") == b"document"
    after = both.seal(b"document", b"job")
    with pytest.raises(ContextMissing, match="which is not given"):
        AesSealer([OLD]).unseal(after, b"job")


@pytest.mark.parametrize("at", range(0, 37, 4))
def test_a_changed_byte_is_noticed_wherever_it_is(at):
    """In the version, the key's id, the nonce, the text or its tag."""
    sealer = AesSealer([NEW])
    sealed = bytearray(sealer.seal(b"document", b"job"))
    sealed[at] ^= 1
    with pytest.raises(ContextMissing):
        sealer.unseal(bytes(sealed), b"job")


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + bytes(20)])
def test_what_was_never_sealed_does_not_open(sealed):
    """No other error comes out of it."""
    with pytest.raises(ContextMissing):
        AesSealer([NEW]).unseal(sealed, b"job")


def test_a_document_of_another_job_does_not_open():
    """Rows cannot be exchanged."""
    sealed = AesSealer([NEW]).seal(b"document", b"job 1")
    with pytest.raises(ContextMissing, match="of another job"):
        AesSealer([NEW]).unseal(sealed, b"job 2")


def test_keys_are_read_from_base64_and_a_wrong_one_is_not_repeated():
    """32 bytes each."""
    text = ", ".join(base64.b64encode(key).decode() for key in (NEW, OLD))
    assert keys_of(text) == [NEW, OLD]
    with pytest.raises(ValueError, match="32 bytes in base64") as raised:
        keys_of("no base64: secret!")
    assert "secret" not in str(raised.value)
    for keys in ([], [b"short"]):
        with pytest.raises(ValueError, match="32 bytes"):
            AesSealer(keys)

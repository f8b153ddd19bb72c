"""Whatever is missing from a backup, or was changed in it, is found."""

from __future__ import annotations

import json

import pytest

from hilum.application.backup.object_list import read, written
from hilum.domain.backup import BackedUpObject
from hilum.domain.errors import BackupDamaged


@pytest.fixture
def made(platform):
    """A backup of three films."""
    for number in range(3):
        platform.accept(b"film %d" % number)
    return platform.back_up()


def first(store, prefix: str) -> str:
    return next(iter(store.list(prefix))).key


@pytest.mark.parametrize("file", ["dump", "objects"])
@pytest.mark.parametrize("damage", ["missing", "flipped", "short"])
def test_a_damaged_file_is_found(made, backups, file, damage):
    """A part is missing, a byte was flipped, or it ends early."""
    key = first(backups.store, f"backups/{made.name}/{file}/")
    content = backups.store.objects[key]
    if damage == "missing":
        backups.store.delete(key)
    elif damage == "flipped":
        backups.store.objects[key] = content[:50] + bytes([content[50] ^ 1]) + content[51:]
    else:
        backups.store.objects[key] = content[:-1]
    with pytest.raises(BackupDamaged):
        backups.verify(made)


def test_a_missing_film_is_found(made, backups):
    """Its name is told."""
    key = first(backups.store, "objects/")
    backups.store.delete(key)
    with pytest.raises(BackupDamaged, match=key.removeprefix("objects/")):
        backups.verify(made)


def test_a_short_film_is_found(made, backups):
    """By its size, without reading it."""
    key = first(backups.store, "objects/")
    backups.store.objects[key] = b"film"
    with pytest.raises(BackupDamaged, match="4 bytes"):
        backups.verify(made)


def test_a_changed_film_is_found_by_reading_it(made, backups):
    """Only ``deep`` can tell."""
    key = first(backups.store, "objects/")
    backups.store.objects[key] = b"FILM 0"
    backups.verify(made)
    with pytest.raises(BackupDamaged, match="SHA-256"):
        backups.verify(made, deep=True)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 3},
        {"format": None},
        {"dump": None},
        {"made_at": "yesterday"},
        {"name": "20200101t000000z"},
        {"objects": "many"},
    ],
)
def test_a_manifest_that_cannot_be_read_is_told(made, backups, change):
    """That of a newer release says which format it has."""
    key = f"backups/{made.name}/manifest.json"
    document = json.loads(backups.store.objects[key])
    backups.store.objects[key] = json.dumps({**document, **change}).encode()
    with pytest.raises(BackupDamaged):
        backups.backups.manifest(made.name)


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff"])
def test_a_manifest_that_is_none_is_told(made, backups, text):
    """Whatever stands there."""
    backups.store.objects[f"backups/{made.name}/manifest.json"] = text
    with pytest.raises(BackupDamaged):
        backups.backups.manifest(made.name)


def test_a_list_comes_back_as_it_was_written():
    """More objects than one batch, in chunks of any size."""
    objects = [BackedUpObject(f"films/{number:05d}", number, "ab" * 32) for number in range(2500)]
    packed = b"".join(written(objects))
    assert list(read([packed])) == objects
    assert list(read(packed[at : at + 7] for at in range(0, len(packed), 7))) == objects
    with pytest.raises(BackupDamaged):
        list(read([packed[:-20]]))

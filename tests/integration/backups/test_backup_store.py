"""Backups of a real PostgreSQL into a real MinIO: damaged buckets, and keys that may not delete."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from minio import MinioAdmin
from minio.credentials import StaticProvider

from hilum.adapters.object_store.object_store import open_object_store
from hilum.adapters.postgres import migrate
from hilum.adapters.postgres.engine import create_database_engine
from hilum.adapters.postgres.unit_of_work import SqlUnitOfWork
from hilum_cli.main import hilum
from hilum_stack.errors import ServerMissing
from tests.contract.samples import a_film, accept
from tests.servers import server_missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result

    from hilum_stack.minio import MinioServer
    from hilum_stack.postgres import PostgresServer

pytestmark = pytest.mark.real

_PUT_GET_LIST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["s3:PutObject", "s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"],
            "Resource": ["arn:aws:s3:::*"],
        }
    ],
}


class Site:
    """A platform of films alone, and its backup store."""

    def __init__(self, database_url: str, minio: MinioServer) -> None:
        bucket = uuid4().hex
        self.minio = minio
        self.backup_bucket = f"backups-{bucket}"
        self.environment = {
            "HILUM_DATABASE_URL": database_url,
            "HILUM_OBJECT_STORE_URL": minio.bucket_url(f"films-{bucket}"),
            "HILUM_BACKUP_STORE_URL": minio.bucket_url(self.backup_bucket),
        }
        self.objects = open_object_store(self.environment["HILUM_OBJECT_STORE_URL"], create=True)
        self.mirror = open_object_store(self.environment["HILUM_BACKUP_STORE_URL"], create=True)
        self.engine = create_database_engine(database_url, pool_size=1)

    def accept(self, content: bytes) -> str:
        """Take a film in: bytes first, then rows. Gives its key."""
        film = a_film()
        digest = sha256(content).hexdigest()
        film = replace(
            film, instance=replace(film.instance, size_bytes=len(content), sha256=digest)
        )
        self.objects.put(film.instance.object_key, [content], media_type="image/png")
        accept(SqlUnitOfWork(self.engine), film)
        return film.instance.object_key

    def hilum(self, *arguments: str, **environment: str) -> Result:
        """`hilum backup ...`."""
        runner = CliRunner(env={**self.environment, **environment})
        return runner.invoke(hilum, ["backup", *arguments])

    def newest(self) -> dict[str, object]:
        """Manifest of the newest backup."""
        manifest: dict[str, object] = json.loads(self.hilum("list", "--json").stdout)[-1]
        return manifest

    def url_without_delete(self) -> str:
        """The backup store, for credentials that may put, get and list."""
        root = StaticProvider(self.minio.access_key, self.minio.secret_key)
        admin = MinioAdmin(endpoint=self.minio.endpoint, credentials=root, secure=False)
        key, secret = uuid4().hex[:20], uuid4().hex
        admin.add_service_account(access_key=key, secret_key=secret, policy=_PUT_GET_LIST)
        return f"s3://{key}:{secret}@{self.minio.endpoint}/{self.backup_bucket}?secure=false"


@pytest.fixture
def site(postgres_server: PostgresServer, minio_server: MinioServer) -> Iterator[Site]:
    """A migrated database and two buckets of this test's own."""
    if shutil.which("pg_dump") is None:
        server_missing(ServerMissing("PostgreSQL's client", "`pg_dump` is not on the PATH"))
    name = f"backups_{uuid4().hex}"
    engine = sa.create_engine(
        postgres_server.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    url = postgres_server.database_url(name)
    migrate.upgrade(url)
    made = Site(url, minio_server)
    yield made
    made.engine.dispose()
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_damaged_bucket_does_not_cost_the_last_copies(site: Site) -> None:
    """Every backup says what is missing, and pruning leaves what the rows still name."""
    content = {site.accept(b"film %d" % number): b"film %d" % number for number in range(5)}
    assert site.hilum("create").exit_code == 0
    gone = sorted(content)[1:3]
    for key in gone:
        site.objects.delete(key)
    lost = site.accept(b"never backed up")
    site.objects.delete(lost)
    names = set()
    while len(names) < 3:  # a name has whole seconds: two backups of one second are refused
        made = site.hilum("create")
        assert made.exit_code == 1
        if "invalid_request" in made.stderr:
            continue
        assert "object_missing" in made.stderr, made.output
        assert "lacked 3 films that rows name" in made.stderr
        names.add(site.newest()["name"])
    pruned = site.hilum("prune", "--keep", "1")
    assert pruned.exit_code == 0, pruned.output
    mirrored = {found.key for found in site.mirror.list("objects/")}
    assert mirrored == {f"objects/{key}" for key in content}
    manifest = site.newest()
    assert (manifest["missing"], manifest["lost"], manifest["objects"]) == (3, 1, 5)
    verified = site.hilum("verify", "--deep")
    assert (verified.exit_code, "lacked 3 films" in verified.stderr) == (1, True)
    assert site.hilum("check").exit_code == 1, "two of them should be there after a restore"
    restored = site.hilum("restore", "--force", "--deep")
    assert restored.exit_code == 0, restored.output
    assert "films that were lost before the backup was made: 1" in restored.stdout
    assert {key: site.objects.get(key) for key in content} == content
    checked = site.hilum("check")
    assert (checked.exit_code, "lacked 3 films" in checked.stderr) == (0, True)


def test_backups_are_made_with_credentials_that_may_not_delete(site: Site, caplog) -> None:
    """And removed with others, at once."""
    site.accept(b"film")
    bare = site.url_without_delete()
    made = site.hilum("create", HILUM_BACKUP_STORE_URL=bare)
    assert made.exit_code == 0, made.output
    (record,) = [one for one in caplog.records if one.message == "backup_claim.withdrawn"]
    assert "AccessDenied" in record.error
    refused = site.hilum("prune", "--keep", "1", HILUM_BACKUP_STORE_URL=bare)
    assert (refused.exit_code, "AccessDenied" in refused.stderr) == (1, True)
    pruned = site.hilum("prune", "--keep", "1")
    assert pruned.exit_code == 0, pruned.output
    assert list(site.mirror.list("claims/")) == []
    assert site.hilum("verify", "--deep").exit_code == 0

"""The sealed store: every item under its own key, every key with a clock.

Free text, photos and contacts of people lie here, not in the chain. The chain holds a reference with the
SHA-256 of the *ciphertext*, which says nothing about the content once the key is gone. Destroying the key is
lawful deletion (in the sense of data protection law: nobody can restore the content); ciphertext in old
backups stays unreadable. Keys lie in a file of their own, so that a backup of contents is not one of keys.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Self

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from clearway.kernel.clock import Clock, require_utc
from clearway.kernel.errors import InputError, NotFoundError, SystemFailureError
from clearway.records.events import to_us
from clearway.records.sealed.images import strip_metadata
from clearway.records.store import failure, parse_url

MAX_BYTES: Final = 25_000_000
NONCE_BYTES: Final = 12

_contents = sa.MetaData()
_keys = sa.MetaData()

content: Final = sa.Table(
    "sealed_content",
    _contents,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("record_id", sa.String, nullable=False, index=True),
    sa.Column("media_type", sa.String, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("keep_until_us", sa.BigInteger, nullable=False, index=True),
    sa.Column("nonce", sa.LargeBinary, nullable=False),
    sa.Column("ciphertext", sa.LargeBinary, nullable=False),
)

key: Final = sa.Table(
    "sealed_key",
    _keys,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("key", sa.LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True)
class SealedRef:
    """What a record holds instead of the content."""

    sealed: str
    sha256: str
    media_type: str
    size: int

    def as_dict(self) -> dict[str, Any]:
        """Value of a field of type ``sealed``."""
        return {
            "sealed": self.sealed,
            "sha256": self.sha256,
            "media_type": self.media_type,
            "size": self.size,
        }


class SealedStore:
    """Sealed contents beside a journal."""

    def __init__(self, contents: Engine, keys: Engine, clock: Clock, name: str) -> None:
        self._contents, self._key_engine, self._clock, self._name = contents, keys, clock, name

    @classmethod
    def beside(cls, url: str, clock: Clock, *, keys_url: str = "") -> Self:
        """The sealed store that belongs to a journal.

        An SQLite journal ``x.sqlite`` gets ``x.sealed.sqlite`` and ``x.keys.sqlite``; in PostgreSQL two
        tables lie in the same database unless ``keys_url`` names another place for the keys.

        Raises:
            InputError: not a store URL.
            SystemFailureError: the stores cannot be opened.
        """
        parsed = parse_url(url)
        if parsed.get_backend_name() == "sqlite":
            base = Path(parsed.database or "")
            stem = base.with_suffix("")
            contents = _file_engine(stem.with_name(stem.name + ".sealed.sqlite"))
            keys = _file_engine(stem.with_name(stem.name + ".keys.sqlite"), private=True)
        else:
            contents = sa.create_engine(parsed, pool_pre_ping=True)
            keys = sa.create_engine(parse_url(keys_url), pool_pre_ping=True) if keys_url else contents
        store = cls(contents, keys, clock, parsed.render_as_string(hide_password=True))
        with store._failing():
            _contents.create_all(contents)
            _keys.create_all(keys)
        return store

    def close(self) -> None:
        """Let go of all connections."""
        self._contents.dispose()
        self._key_engine.dispose()

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise failure(error.orig or error, self._name) from error

    def seal_text(self, record_id: str, text: str, *, keep: timedelta) -> SealedRef:
        """Seal words of people."""
        return self.seal(record_id, text.encode(), "text/plain; charset=utf-8", keep=keep)

    def seal_photo(self, record_id: str, photo: bytes, *, keep: timedelta) -> SealedRef:
        """Seal a photo without its metadata.

        Raises:
            InputError: neither JPEG nor PNG, broken or too large.
        """
        if len(photo) > MAX_BYTES:
            raise InputError(f"the photo has {len(photo)} bytes, at most {MAX_BYTES} are taken")
        stripped, media_type = strip_metadata(photo)
        return self.seal(record_id, stripped, media_type, keep=keep)

    def seal(self, record_id: str, data: bytes, media_type: str, *, keep: timedelta) -> SealedRef:
        """Encrypt (AES-256-GCM, own key) and keep until the retention time has run out.

        Raises:
            InputError: too large, or no time to keep.
            SystemFailureError: the store failed; nothing was kept.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if len(data) > MAX_BYTES:
            raise InputError(f"{len(data)} bytes, at most {MAX_BYTES} are taken", where=f"sealed {record_id}")
        if keep <= timedelta(0):
            raise InputError("a retention time is needed", where=f"sealed {record_id}")
        now = self._clock.now()
        item, secret, nonce = uuid.uuid4().hex, AESGCM.generate_key(256), os.urandom(NONCE_BYTES)
        closed = AESGCM(secret).encrypt(nonce, data, _bound(item, record_id, media_type))
        row = {
            "id": item,
            "record_id": record_id,
            "media_type": media_type,
            "created_us": to_us(now),
            "keep_until_us": to_us(now + keep),
            "nonce": nonce,
            "ciphertext": closed,
        }
        with self._failing():
            with self._key_engine.begin() as connection:
                connection.execute(key.insert().values(id=item, key=secret))
            with self._contents.begin() as connection:
                connection.execute(content.insert().values(**row))
        return SealedRef(item, sha256(nonce + closed).hexdigest(), media_type, len(data))

    def open(self, sealed_id: str, *, expect_sha256: str = "") -> tuple[bytes, str]:
        """Content and media type.

        Raises:
            NotFoundError: never there, or deleted when its time had run out.
            SystemFailureError: it is not what the chain says, or was altered.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        with self._failing():
            with self._key_engine.connect() as connection:
                secret = connection.execute(sa.select(key.c.key).where(key.c.id == sealed_id)).scalar()
            with self._contents.connect() as connection:
                row = connection.execute(sa.select(content).where(content.c.id == sealed_id)).first()
        if secret is None or row is None:
            raise NotFoundError("this content was deleted, or never was here", where=f"sealed {sealed_id}")
        nonce, closed = bytes(row.nonce), bytes(row.ciphertext)
        if expect_sha256 and sha256(nonce + closed).hexdigest() != expect_sha256:
            raise SystemFailureError(
                "sealed content is not what the journal says", where=f"sealed {sealed_id}"
            )
        try:
            data = AESGCM(bytes(secret)).decrypt(nonce, closed, _bound(row.id, row.record_id, row.media_type))
        except InvalidTag as error:
            raise SystemFailureError("sealed content was altered", where=f"sealed {sealed_id}") from error
        return data, str(row.media_type)

    def listed(self, record_id: str) -> list[str]:
        """Ids of what is sealed for a record and not deleted."""
        with self._failing(), self._contents.connect() as connection:
            query = sa.select(content.c.id).where(content.c.record_id == record_id)
            return sorted(str(found) for found in connection.execute(query).scalars())

    def purge(self, now: datetime | None = None) -> list[str]:
        """Destroy the keys, then the contents, of everything whose time has run out; returns their ids."""
        moment = require_utc(now) if now is not None else self._clock.now()
        with self._failing(), self._contents.connect() as connection:
            query = sa.select(content.c.id).where(content.c.keep_until_us <= to_us(moment))
            found = sorted(str(item) for item in connection.execute(query).scalars())
        self._destroy(found)
        return found

    def forget(self, record_id: str) -> list[str]:
        """Destroy everything sealed for a record now, for instance at a person's lawful request."""
        found = self.listed(record_id)
        self._destroy(found)
        return found

    def discard(self, sealed_id: str) -> None:
        """Destroy one item that no record came to refer to."""
        self._destroy([sealed_id])

    def _destroy(self, items: list[str]) -> None:
        if not items:
            return
        with self._failing():
            with self._key_engine.begin() as connection:
                for part in _parts(items):
                    connection.execute(key.delete().where(key.c.id.in_(part)))
            _sweep(self._key_engine)
            with self._contents.begin() as connection:
                for part in _parts(items):
                    connection.execute(content.delete().where(content.c.id.in_(part)))


def _parts(items: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(items), 500):
        yield items[start : start + 500]


def _bound(item: str, record_id: str, media_type: str) -> bytes:
    """Authenticated with the content, so that ciphertexts cannot be swapped between records."""
    return f"{item}\x1f{record_id}\x1f{media_type}".encode()


def _sweep(engine: Engine) -> None:
    """Leave no copy of deleted keys in a write-ahead log, in free pages or in dead rows."""
    plain = engine.execution_options(isolation_level="AUTOCOMMIT")
    with plain.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            connection.exec_driver_sql("VACUUM sealed_key")


def _file_engine(path: Path, *, private: bool = False) -> Engine:
    if not path.parent.is_dir():
        raise InputError("there is no such folder", where=str(path.parent), hint="Make it first")
    if private and not path.exists():
        path.touch(mode=0o600)
    engine = sa.create_engine(f"sqlite:///{path.as_posix()}", connect_args={"timeout": 10.0})

    def prepare(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA secure_delete=ON")

    sa.event.listen(engine, "connect", prepare)
    return engine

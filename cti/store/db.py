"""One writer, many readers. A write is one BEGIN IMMEDIATE .. COMMIT; follow-ups are for after it returned."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from cti.errors import CtiError

T = TypeVar("T")
READERS = 4
BUSY_MS = 30_000  # a backup or a second process may hold the file this long before a write fails


class StoreError(CtiError):
    """The store cannot be opened or used; the message says what to do."""

    code = "store"


class Store:
    """The database. Open with ``Store.open``; ``close`` before the loop ends."""

    def __init__(self, writer: AsyncEngine, readers: AsyncEngine) -> None:
        self._writer = writer
        self._readers = readers
        self._connection: AsyncConnection | None = None
        self._lock = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path) -> Store:
        """Bring the schema up to date and open.

        Raises:
            StoreError: the folder cannot be written, or a newer version of the service has used the file.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            await asyncio.to_thread(migrate, path)
        except OSError as error:
            raise StoreError(f"database {path}: {error.strerror}") from error
        url = f"sqlite+aiosqlite:///{path}"
        writer = create_async_engine(url, poolclass=NullPool)
        readers = create_async_engine(url, pool_size=READERS, max_overflow=0)
        _prepare(writer, "IMMEDIATE")
        _prepare(readers, "DEFERRED")
        return cls(writer, readers)

    async def write(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Run *work* in one transaction; what it did is durable when this returns, or undone when it raises."""
        async with self._lock:
            if self._connection is None:
                self._connection = await self._writer.connect()
            async with self._connection.begin():
                return await work(self._connection)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for queries; it sees what was committed when its first query began."""
        async with self._readers.connect() as connection:
            yield connection

    async def close(self) -> None:
        """Give every connection back and end their threads."""
        async with self._lock:
            if self._connection is not None:
                await self._connection.close()
                self._connection = None
        await self._writer.dispose()
        await self._readers.dispose()


def _prepare(engine: AsyncEngine, begin: str) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def _connect(raw: Any, _record: Any) -> None:
        raw.isolation_level = None  # the driver would begin late and by itself; we begin below
        cursor = raw.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={BUSY_MS}", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(f"BEGIN {begin}")


def migrate(path: Path) -> None:
    """Bring *path* to the newest schema.

    Raises:
        StoreError: when a newer version of the service has already changed it.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("sqlalchemy.url", f"sqlite:///{path}".replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    from sqlalchemy import create_engine

    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.connect() as connection:
        here = MigrationContext.configure(connection).get_current_revision()
    engine.dispose()
    if here is not None and here not in {r.revision for r in script.walk_revisions()}:
        raise StoreError(f"database {path}: written by a newer version ({here}); install that version again")
    if here != script.get_current_head():
        command.upgrade(config, "head")

"""Alembic's entry: migrations run on the one database file given by ``cti.store.db.migrate``."""

from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from cti.store.tables import metadata

url = context.config.get_main_option("sqlalchemy.url")
if url is None:
    raise RuntimeError("sqlalchemy.url is not set: migrations are run by cti.store.db.migrate")
engine = create_engine(url, poolclass=NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()

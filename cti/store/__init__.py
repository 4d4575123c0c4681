"""The durable store: SQLAlchemy Core on SQLite (WAL, FULL), one writer, many readers, group commit, outbox."""

"""Commit, then tell: outbox rows go to the local subscribers and to MQTT, in order, after they are durable."""

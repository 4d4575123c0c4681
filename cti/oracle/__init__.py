"""What Asterisk itself wrote down: queue_log, CDR and CEL, read back after the service was away.

The oracle is trusted for what happened, never for when: queue_log knows whole seconds.
"""

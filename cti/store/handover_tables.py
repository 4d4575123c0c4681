"""Tables of the handover."""

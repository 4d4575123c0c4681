"""Tables of the conduct."""

"""Tables of the findings."""

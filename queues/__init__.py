"""PURE. Calls: arriving, offered, answered, abandoned; tickets owed; callbacks; the live board."""

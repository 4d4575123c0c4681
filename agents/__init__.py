"""PURE. People on duty: who is signed in, on which seat, in which state. An agent is a human operator (话务员)."""

"""FastAGI: sign-in and state from the agent's own phone."""

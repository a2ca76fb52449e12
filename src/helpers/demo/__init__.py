"""The invented network, and what is planted in it."""

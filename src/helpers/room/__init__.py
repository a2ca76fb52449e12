"""The workshop's room: people score together on their phones, and the wall shows what they said.

A small server of its own, never on Jupyter's port and with no kernel within reach. What people say
lies in one file before it is confirmed; at the end it is kept beside the toml as scores,
comparisons and plan.
"""

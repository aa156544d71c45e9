"""People and their roles: who may sign in, named to what, by whom and since when (A1, A2)."""

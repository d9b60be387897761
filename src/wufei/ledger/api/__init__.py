"""The ledger over the API: what is declared and moved (movements), and what becomes of lots (lots)."""

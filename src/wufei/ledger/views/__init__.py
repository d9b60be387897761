"""The ledger's pages: the list, quick entry and reversal, stock and months, streams and stores."""

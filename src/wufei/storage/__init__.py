"""
Storage 贮存: what stands where in a store and for how long, and what is there when it is counted blind.

Pure: `stocktaking` says which counts hold and where they differ from the books; `zoning` what may stand in a zone,
what stands too near to what and how full a zone is; `time_limits` how long a waste may stand. Stored: zones as the
organisation declares them; append-only, placements of lots in zones, and the sheets of stock-taking with what the
books held, every count, the closing with its differences, and what was posted of them. The ledger is read and posted
to through its services; it knows nothing of zones and sheets.
"""

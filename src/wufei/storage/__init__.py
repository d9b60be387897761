"""
Storage 贮存: what stands where in a store and for how long, what is there when it is counted blind, and what is
found when it is inspected.

Pure: `stocktaking` says which counts hold and where they differ from the books; `zoning` what may stand in a zone,
what stands too near to what and how full a zone is; `time_limits` how long a waste may stand; `checklists` what a
store has to be like and when it is due again; `photos` what is kept of a picture. Stored: zones as the organisation
declares them; append-only, placements of lots in zones, the sheets of stock-taking with what the books held, every
count, the closing with its differences, and what was posted of them, and inspections with what is to be put right,
what was, and the pictures of both. The ledger is read and posted to through its services; it knows nothing of zones,
sheets and inspections.
"""

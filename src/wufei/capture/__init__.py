"""
How data gets in: the data workbook 数据工作簿, its template, its import, its rejects.

- `layout` — which sheets and columns are there? `template` — what does an empty workbook look like?
- `safe_opening` — may this file be opened at all? Asked before anything opens it.
  `sheet_scan` — what stands in one of its parts, without opening that either?
- `cells` — what does a cell say? `reading` — what do the sheets say? Both name every fault by sheet,
  row and column, with what would be right.
- `importing` — what would a workbook post? `services` — all of it in one transaction, or nothing.
- `rejects` — the rows that were not taken, in the same layout, to be corrected and imported again.

Promises: a hostile file is refused before it is opened; nothing is guessed where the meaning is not
certain; the same rows imported twice count once; what was typed leaves as text, never as a formula.
Leaves to others: whether a movement may be posted (ledger), what a waste code is (catalogue).
"""

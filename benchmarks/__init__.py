"""
How fast is Wufei, as ratios to what the same machine does bare, in the same run?

`python -m benchmarks` measures on both databases and writes `benchmarks/last.json` and
`docs/performance.md`. Absolute figures say little on a shared machine: read the ratios.
"""

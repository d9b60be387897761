"""Storage 贮存: zones of a store, what may stand where and for how long, inspections, and stock-taking."""

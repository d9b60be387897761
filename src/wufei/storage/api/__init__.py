"""Storage for machines: `zones` and time limits, `stocktaking`, `inspections`."""

"""The doors of transfers for machines: what is asked and answered is in `shapes`."""

"""Commands of the shop floor: `wufei gateway`, `wufei scale`."""

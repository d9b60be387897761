"""The pages of the shop floor: scales and their readings, and the worker's page on the phone."""

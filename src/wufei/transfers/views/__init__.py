"""Pages of manifests: the list, the draft, one manifest with its acts, and what a driver has on the phone."""

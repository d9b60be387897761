"""Where the vehicles of open manifests are: positions, stops, detours and silence."""

"""Settings, URLs, base templates and static assets; nothing of the domain."""

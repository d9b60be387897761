"""The pages of the registry: `signing_in`, `account`, `organisations`, `people`; `listing` is every room's."""

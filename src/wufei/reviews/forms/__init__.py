"""The shapes of what people type in reviews, one file for each noun; the rules are the services'."""

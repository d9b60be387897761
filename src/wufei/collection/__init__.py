"""Small generators 小微企业: their monthly word, the rounds that collect it, and the stock at a collection point."""

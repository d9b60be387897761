"""
Small generators 小微企业: their light registration, their monthly word, the rounds that collect it, the collection point.

Pure: `months` says which month is due and what silence means (unknown, never 0); `declared` what a declaration posts;
`rules` the limits that are data. Stored: registrations, declarations (append-only), collection points, rounds with
their stops. What was generated stands in the generator's own ledger, what is carried on its own manifest (转移管理办法
第十六条), what was collected in the collector's ledger: this room posts through their services and keeps no mass twice.
"""

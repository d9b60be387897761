"""
The official ledgers 官方台账: tables of movements, as the norms lay them out.

Seven tables of the general-waste ledger (公告2021年第82号) and five of the hazardous-waste ledger (HJ 1259-2022).
None of them is stored: `layouts` says which columns a table has, `codes` numbers its records, `lines` and
`summaries` turn plain rows into its lines. What nobody recorded stays blank and is named as missing.
"""

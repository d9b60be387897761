"""
What the standards say: waste codes by edition, exemptions, industries, divisions, working days.

Holds read-only tables (`data/`, see `data/LICENCES.md`) and the functions that read them:

- `waste_codes` — what does this code mean? `hazardous_list`, `general_wastes` — what is listed?
- `exemptions`, `disposal_modes`, `industries`, `divisions`, `working_days` — one table each
- `search` — one search over wastes, industries and divisions
- `cli` — `wufei catalogue …`, `wufei workdays`; takes its tables from the same functions

Promises: every entry says from which edition it is and whether it was verified; a code that a
newer edition retired is still understood, with a notice; what is not loaded is said to be not
loaded, never guessed. No Django, no database. A table that an administrator imports lies in
`<data>/catalogue/` (WUFEI_DATA, or the folder passed as `data_dir`) and holds at once, also in
processes that already run.

Leaves to others: who may import (the door that calls), and which waste an organisation has.
"""

"""
Labels 标签: what stands on a container, a store and a facility, and which numbers labels bear.

Pure: `digital_id` makes and reads the 37 characters of HJ 1276; `payload` is what the QR code says; `hazard_label`,
`batch_label` and `signs` say what is drawn where, as the shapes of `shapes`; `pdf`, `png` and `zpl` put shapes on
paper. Stored: the particulars of a stream that only labels ask for, the blocks of numbers that were reserved
beforehand, and every print. The ledger's lots and containers are read, never changed.
"""

"""Labels 标签 of HJ 1276 and general-waste batch labels: content, identification codes, sheets and printer language; reprints are recorded."""

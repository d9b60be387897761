"""The shop floor 五即: readings of scales, and the phone page on which a worker weighs, labels and puts into store, also without a network."""

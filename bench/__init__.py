"""Every figure of the product's speed, one file a figure: a ratio to a baseline measured in the same run, alternating."""

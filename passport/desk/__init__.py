"""The city desk: what people without a phone decide on paper, and what two clerks confirm to each other."""

"""Winter service: which roads need what treatment, by when, how much, and what waiting costs."""

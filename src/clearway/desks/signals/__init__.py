"""Weather signals by area and colour: which published criteria the weather meets, when and how surely."""

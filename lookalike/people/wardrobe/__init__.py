"""Our own wardrobe: a posed body and a random generator in, simulated garments out. It needs no files of the user's."""

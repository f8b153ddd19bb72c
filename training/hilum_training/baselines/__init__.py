"""The originals' methods, rebuilt on Hilum's films and split, as the floor to be measured from."""

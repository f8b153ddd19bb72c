"""The data report: what the films are, before anything is learnt from them."""

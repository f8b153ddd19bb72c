"""``hilum-golden-film``: beside a Triton, says whether what it answers is right.

A GPU can answer "ready" and compute nonsense. So films are read whose answers are known.
"""

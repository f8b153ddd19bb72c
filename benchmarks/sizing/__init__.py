"""How much hardware a load needs: measured costs, a capacity model and a simulation."""

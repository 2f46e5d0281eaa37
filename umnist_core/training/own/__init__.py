"""How the models of our own are trained: by courses of phases, one after the other."""

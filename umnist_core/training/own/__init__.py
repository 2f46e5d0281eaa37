"""How the models of our own are trained: by recipes of parts that learn one after the other."""

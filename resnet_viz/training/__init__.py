"""How a network is learned: the recipe, the loop, and the process that runs it."""

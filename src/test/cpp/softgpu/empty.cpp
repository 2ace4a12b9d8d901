// CUDA libraries of which nothing is called have to be there all the same.

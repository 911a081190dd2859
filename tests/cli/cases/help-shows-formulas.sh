gradsim help activations

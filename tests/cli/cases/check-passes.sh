gradsim check

gradsim help columns

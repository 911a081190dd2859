gradsim help > page
for topic in act init norm columns exit-status environment verdict compare; do gradsim help "$topic" >> page; done
awk 'length > 80' page
